#include "reports/page/html_elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

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
    if (series.style == LineStyle::thin) json["thin"] = true;
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

constexpr std::size_t kValueRows = 50;
constexpr std::size_t kValueLines = 5;     // columns beside the first
constexpr std::size_t kBadgeLetters = 14;  // of a badge that is never broken

std::string x_text(const Plot& plot, double x) {
    return plot.x.is_whole ? fmt::format("{:.0f}", x) : fmt::format("{:.4g}", x);
}

}  // namespace

std::string html_figure(const Plot& plot) {
    return fmt::format(
        "<figure data-plot=\"{0}\" aria-labelledby=\"{0}-c\"><figcaption><span "
        "id=\"{0}-c\">{1}</span></figcaption>{2}{3}</figure>\n",
        html_text(plot.id), html_text(plot.title), svg_plot(plot), legend(plot));
}

std::string html_charts(const std::vector<Plot>& plots) {
    std::string figures;
    for (const Plot& plot : plots) figures += html_figure(plot);
    if (figures.empty()) return {};
    const char* css = plots.size() % 3 == 0 ? "charts three" : "charts";
    const bool is_shared = plots.size() > 1 && std::ranges::all_of(plots, [&](const Plot& plot) {
                               return legend(plot) == legend(plots.front());
                           });
    return fmt::format("<div class=\"{}{}\">{}</div>{}\n", css, is_shared ? " shared" : "", figures,
                       is_shared ? legend(plots.front()) : "");
}

namespace {

using Values = std::map<double, std::vector<std::string>>;  // by x; [lines]

// A thin line is the rest of the one before it, and stands in its column.
bool is_rest(const Plot& plot, std::size_t series) {
    return series > 0 && plot.series[series].style == LineStyle::thin;
}

Values values_of(const Plot& plot, std::size_t lines) {
    Values values;
    std::size_t line = 0;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        if (i > 0 && !is_rest(plot, i)) ++line;
        for (const PlotPoint& point : plot.series[i].points) {
            std::vector<std::string>& row = values[point.x];
            row.resize(lines, kNoFigure);
            if (row[line] != kNoFigure) continue;
            row[line] = figure_text(point.y) + (is_rest(plot, i) ? " *" : "");
        }
    }
    return values;
}

std::string values_table(const Plot& plot, const Values& values, std::size_t stride,
                         std::span<const std::string> labels, std::size_t first) {
    HtmlTable table(plot.title);
    table.text_column(plot.x.label);
    for (const std::string& label : labels) table.number_column(label);
    std::size_t place = 0;
    for (const auto& [x, row] : values) {
        if (place++ % stride != 0) continue;
        table.row(x_text(plot, x));
        for (std::size_t i = 0; i < labels.size(); ++i) table.number(row[first + i]);
    }
    return table.markup();
}

}  // namespace

std::string html_values(const Plot& plot) {
    std::vector<std::string> labels;
    bool has_rest = false;
    for (std::size_t i = 0; i < plot.series.size(); ++i) {
        has_rest = has_rest || is_rest(plot, i);
        if (!is_rest(plot, i)) labels.push_back(plot.series[i].label);
    }
    const Values values = values_of(plot, labels.size());
    const std::size_t stride =
        std::max<std::size_t>(1, (values.size() + kValueRows - 1) / kValueRows);
    std::string tables;
    for (std::size_t first = 0; first < labels.size(); first += kValueLines) {
        const std::size_t count = std::min(kValueLines, labels.size() - first);
        tables +=
            values_table(plot, values, stride, std::span(labels).subspan(first, count), first);
    }
    const std::string which = stride == 1 ? "the values" : "some of the values";
    return html_details(plot.title + ": " + which,
                        tables + (has_rest ? html_note("* a mean of fewer seeds") : ""));
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

std::string html_details(std::string_view summary, std::string_view html, Details details) {
    if (html.empty()) return {};
    return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n",
                       details == Details::open ? " open" : "", html_text(summary), html);
}

std::string html_note(std::string_view text) {
    return fmt::format("<p class=\"note\">{}</p>\n", html_text(text));
}

std::string html_badge(std::string_view text, Tone tone) {
    constexpr const char* kClasses[] = {"soft", "good", "bad", "warn"};
    return fmt::format("<span class=\"badge {}{}\">{}</span>", kClasses[static_cast<int>(tone)],
                       text.size() <= kBadgeLetters ? " short" : "", html_text(text));
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
