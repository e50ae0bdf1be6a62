#include "reports/page/html_elements.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "reports/charts/svg_plot.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

using Json = nlohmann::ordered_json;

// Five digits are more than a pixel shows.
Json number_json(double value) {
    if (!std::isfinite(value)) return nullptr;
    return Json::parse(fmt::format("{:.5g}", value));
}

Json axis_json(const PlotAxis& axis) {
    Json json{{"label", axis.label}};
    if (axis.is_logarithmic) json["log"] = true;
    if (axis.is_whole) json["whole"] = true;
    if (axis.low) json["min"] = number_json(*axis.low);
    if (axis.high) json["max"] = number_json(*axis.high);
    return json;
}

Json series_json(const PlotSeries& series) {
    Json json{{"label", series.label}, {"color", series.color}};
    if (series.style == LineStyle::dashed) json["dashed"] = true;
    bool has_ranges = false;
    for (const PlotPoint& point : series.points) {
        json["x"].push_back(number_json(point.x));
        json["y"].push_back(number_json(point.y));
        has_ranges = has_ranges || point.range;
    }
    if (!has_ranges) return json;
    for (const PlotPoint& point : series.points) {
        json["low"].push_back(point.range ? number_json(point.range->low) : Json(nullptr));
        json["high"].push_back(point.range ? number_json(point.range->high) : Json(nullptr));
    }
    return json;
}

std::string legend(const Plot& plot) {
    std::string items;
    for (const PlotSeries& series : plot.series) {
        const std::string css = series_class(series);
        const std::string mark =
            plot.kind == PlotKind::lines
                ? fmt::format("<path class=\"line {}\" d=\"M1 4H21\"/>", css)
                : fmt::format("<circle class=\"{}\" cx=\"11\" cy=\"4\" r=\"4\"/>", css);
        items += fmt::format("<li><svg viewBox=\"0 0 22 8\" aria-hidden=\"true\">{}</svg>{}</li>",
                             mark, html_text(series.label));
    }
    return fmt::format("<ul class=\"legend\">{}</ul>", items);
}

std::string x_text(const Plot& plot, double x) {
    return plot.x.is_whole ? fmt::format("{:.0f}", x) : fmt::format("{:.4g}", x);
}

}  // namespace

HtmlTable::HtmlTable(std::string_view caption, Width width) : caption_(caption), width_(width) {}

HtmlTable& HtmlTable::text_column(std::string_view title) {
    columns_.push_back({std::string(title), false});
    return *this;
}

HtmlTable& HtmlTable::number_column(std::string_view title) {
    columns_.push_back({std::string(title), true});
    return *this;
}

HtmlTable& HtmlTable::row(std::string_view header_html) {
    body_ +=
        fmt::format("{}<tr><th scope=\"row\">{}</th>", has_open_row_ ? "</tr>\n" : "", header_html);
    has_open_row_ = true;
    return *this;
}

HtmlTable& HtmlTable::text(std::string_view text) { return html(html_text(text)); }

HtmlTable& HtmlTable::html(std::string_view html) {
    body_ += fmt::format("<td>{}</td>", html);
    return *this;
}

HtmlTable& HtmlTable::html(std::string_view html, std::string_view css_class) {
    body_ += fmt::format("<td class=\"{}\">{}</td>", css_class, html);
    return *this;
}

HtmlTable& HtmlTable::number(std::string_view text) { return html(html_text(text), "n"); }

HtmlTable& HtmlTable::group(std::string_view title) {
    body_ += fmt::format("{}<tr><th class=\"group\" scope=\"colgroup\" colspan=\"{}\">{}</th>",
                         has_open_row_ ? "</tr>\n" : "", columns_.size(), html_text(title));
    has_open_row_ = true;
    return *this;
}

HtmlTable& HtmlTable::css(std::string_view css_class) {
    css_class_ = css_class;
    return *this;
}

std::string HtmlTable::header() const {
    std::string cells;
    for (const Column& column : columns_) {
        cells += fmt::format("<th scope=\"col\"{}>{}</th>", column.is_number ? " class=\"n\"" : "",
                             html_text(column.title));
    }
    return cells;
}

std::string HtmlTable::markup() const {
    if (body_.empty()) return {};
    const std::string caption = html_text(caption_);
    return fmt::format(
        "<div class=\"scroll{}\" role=\"region\" tabindex=\"0\" aria-label=\"{}\"><table{}>"
        "<caption>{}</caption><thead><tr>{}</tr></thead>\n<tbody>{}</tr></tbody></table></div>\n",
        width_ == Width::page ? " wide" : "", caption,
        css_class_.empty() ? "" : " class=\"" + css_class_ + "\"", caption, header(), body_);
}

std::string html_figure(const Plot& plot) {
    return fmt::format("<figure data-plot=\"{}\"><figcaption>{}</figcaption>{}{}</figure>\n",
                       html_text(plot.id), html_text(plot.title), svg_plot(plot), legend(plot));
}

std::string html_charts(const std::vector<Plot>& plots) {
    std::string figures;
    for (const Plot& plot : plots) figures += html_figure(plot);
    if (figures.empty()) return {};
    const char* css = plots.size() % 3 == 0 ? "charts three" : "charts";
    return fmt::format("<div class=\"{}\">{}</div>\n", css, figures);
}

std::string html_values(const Plot& plot) {
    std::map<double, std::map<std::size_t, double>> rows;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        for (const PlotPoint& point : plot.series[i].points) rows[point.x][i] = point.y;
    }
    HtmlTable table(plot.title);
    table.text_column(plot.x.label);
    for (const PlotSeries& series : plot.series) table.number_column(series.label);
    for (const auto& [x, values] : rows) {
        table.row(x_text(plot, x));
        for (std::size_t i = 0; i < plot.series.size(); ++i) {
            const auto value = values.find(i);
            table.number(value == values.end() ? kNoFigure : figure_text(value->second));
        }
    }
    return html_details(plot.title + ": the values", table.markup());
}

std::string plots_json(const std::vector<Plot>& plots) {
    Json all = Json::array();
    for (const Plot& plot : plots) {
        Json series = Json::array();
        for (const PlotSeries& each : plot.series) series.push_back(series_json(each));
        all.push_back({{"id", plot.id},
                       {"title", plot.title},
                       {"kind", plot.kind == PlotKind::lines ? "lines" : "scatter"},
                       {"x", axis_json(plot.x)},
                       {"y", axis_json(plot.y)},
                       {"series", std::move(series)}});
    }
    return all.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string html_facts(const std::vector<HtmlFact>& facts) {
    std::string items;
    for (const HtmlFact& fact : facts) {
        items += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", html_text(fact.name), fact.html);
    }
    return "<dl class=\"facts\">" + items + "</dl>\n";
}

std::string html_details(std::string_view summary, std::string_view html) {
    return fmt::format("<details><summary>{}</summary>{}</details>\n", html_text(summary), html);
}

std::string html_badge(std::string_view text, Tone tone) {
    constexpr const char* kClasses[] = {"soft", "good", "bad", "warn"};
    return fmt::format("<span class=\"badge {}\">{}</span>", kClasses[static_cast<int>(tone)],
                       html_text(text));
}

std::string html_state(storage::RunState state) {
    const bool is_failed = state == storage::RunState::failed;
    const bool is_finished = state == storage::RunState::finished;
    return html_badge(storage::to_string(state), is_failed     ? Tone::bad
                                                 : is_finished ? Tone::good
                                                               : Tone::plain);
}

std::string anchor_of(std::string_view run) {
    std::string anchor = "run-";
    for (const char byte : run) {
        const bool is_safe = std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '-' ||
                             byte == '_' || byte == '.';
        anchor += is_safe ? byte : '_';
    }
    return anchor;
}

}  // namespace lockstep::reports
