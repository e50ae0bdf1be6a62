#include "reports/page/html_elements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <span>

#include "reports/charts/svg_plot.hpp"
#include "reports/page/line_breaks.hpp"
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

// Columns of a table that is shown as cards on narrow screens.
constexpr std::size_t kCardColumns = 4;
constexpr std::size_t kShortRows = 12;  // of a table that stays on one page of paper
constexpr std::size_t kValueRows = 50;
constexpr std::size_t kValueLines = 5;     // columns beside the first
constexpr std::size_t kBadgeLetters = 14;  // of a badge that is never broken
constexpr const char* kShortCell = "short";
constexpr const char* kWrapped = "wrap";
constexpr std::size_t kShortLetters = 11;  // of a cell that is broken on telephones alone

// The least width of a table, from its letters: of wide ones, as screens have them, in pixels.
constexpr double kLetter = 8.2;
constexpr double kPadding = 8.0;
// Between the margins of screens of 768 and 1,024 pixels, of the former without what badges and the
// signs of sorting take. What fits the latter in the letters of a dense table fits A4 too.
constexpr double kTabletRoom = 660.0;
constexpr double kDeskRoom = 984.0;

const char* class_of(bool is_number) { return is_number ? " class=\"n\"" : ""; }

std::string x_text(const Plot& plot, double x) {
    return plot.x.is_whole ? fmt::format("{:.0f}", x) : fmt::format("{:.4g}", x);
}

}  // namespace

HtmlTable::HtmlTable(std::string_view caption, Width width) : caption_(caption), width_(width) {}

HtmlTable& HtmlTable::css(std::string_view name) {
    css_ = name;
    return *this;
}

HtmlTable& HtmlTable::text_column(std::string_view title, Column column) {
    titles_.push_back({std::string(title), false, column});
    return *this;
}

HtmlTable& HtmlTable::number_column(std::string_view title, Column column) {
    titles_.push_back({std::string(title), true, column});
    return *this;
}

HtmlTable& HtmlTable::row(std::string_view header_html) {
    rows_.push_back({std::string(header_html)});
    return *this;
}

HtmlTable& HtmlTable::text(std::string_view text) {
    const char* css = text.size() <= kShortLetters ? kShortCell : "";
    rows_.back().cells.push_back({html_text(text), false, css});
    return *this;
}

HtmlTable& HtmlTable::html(std::string_view html) {
    rows_.back().cells.push_back({std::string(html), false});
    return *this;
}

HtmlTable& HtmlTable::number(std::string_view text) { return number_html(html_text(text)); }

HtmlTable& HtmlTable::number_html(std::string_view html, std::string_view css) {
    rows_.back().cells.push_back({std::string(html), true, std::string(css)});
    return *this;
}

HtmlTable& HtmlTable::group(std::string_view title) {
    rows_.push_back({html_text(title), true});
    return *this;
}

bool HtmlTable::is_filled(std::size_t column) const {
    if (column == 0 || titles_[column].column == Column::always) return true;
    return std::ranges::any_of(rows_, [&](const Row& row) {
        if (row.is_group) return false;
        const std::string& html = row.cells[column - 1].html;
        return !html.empty() && html != kNoFigure;
    });
}

std::string HtmlTable::header(const std::vector<std::size_t>& shown) const {
    std::string cells;
    for (const std::size_t column : shown) {
        const Title& title = titles_[column];
        cells += fmt::format("<th scope=\"col\"{}>{}</th>", class_of(title.is_number),
                             with_line_breaks(html_text(title.text)));
    }
    return cells;
}

std::string HtmlTable::body(const std::vector<std::size_t>& shown) const {
    const bool has_labels = shown.size() >= kCardColumns;
    std::string markup;
    for (const Row& row : rows_) {
        if (row.is_group) {
            markup += fmt::format(
                "<tr><th class=\"group\" scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>\n",
                shown.size(), row.header);
            continue;
        }
        // A number alone would not say what it counts.
        const bool is_number =
            has_labels && !row.header.empty() &&
            std::ranges::all_of(row.header, [](char byte) { return byte >= '0' && byte <= '9'; });
        const std::string name =
            is_number ? fmt::format(" data-label=\"{} \"", html_text(titles_[0].text)) : "";
        markup +=
            fmt::format("<tr><th scope=\"row\"{}>{}</th>", name, with_line_breaks(row.header));
        for (const std::size_t column : std::span(shown).subspan(1)) {
            const Cell& cell = row.cells[column - 1];
            const std::string label =
                has_labels ? fmt::format(" data-label=\"{}\"", html_text(titles_[column].text))
                           : "";
            const std::string classes =
                (cell.is_number ? "n " : "") + cell.css + (cell.html == kNoFigure ? " none" : "");
            const std::string css = cell.css.empty() && cell.html != kNoFigure
                                        ? class_of(cell.is_number)
                                        : fmt::format(" class=\"{}\"", classes);
            markup += fmt::format("<td{}{}>{}</td>", css, label, with_line_breaks(cell.html));
        }
        markup += "</tr>\n";
    }
    return markup;
}

std::vector<std::size_t> HtmlTable::shown_columns() const {
    std::vector<std::size_t> shown;
    for (std::size_t column = 0; column < titles_.size(); ++column) {
        if (is_filled(column)) shown.push_back(column);
    }
    return shown;
}

double HtmlTable::letters_of(std::size_t column, Heads heads) const {
    const std::string title = with_line_breaks(html_text(titles_[column].text));
    double letters = heads == Heads::level ? longest_part(title, false) : 1.0;
    for (const Row& row : rows_) {
        if (row.is_group) continue;
        if (column == 0) {
            letters = std::max(letters, longest_part(with_line_breaks(row.header), false));
            continue;
        }
        const Cell& cell = row.cells[column - 1];
        const bool is_one_line = cell.css == kShortCell || (cell.is_number && cell.css != kWrapped);
        letters = std::max(letters, longest_part(with_line_breaks(cell.html), is_one_line));
    }
    return letters;
}

double HtmlTable::least_width(Heads heads) const {
    double width = 0.0;
    for (const std::size_t column : shown_columns()) {
        width += kLetter * letters_of(column, heads) + kPadding;
    }
    return width;
}

bool HtmlTable::fits() const { return least_width(Heads::upright) <= kDeskRoom; }

std::string HtmlTable::markup() const {
    if (rows_.empty()) return {};
    const std::vector<std::size_t> shown = shown_columns();
    const double least = least_width(Heads::level);
    const bool has_cards = shown.size() >= kCardColumns;
    std::string css = has_cards ? "cards" : "plain";
    if (width_ == Width::page) css += " wide";
    if (has_cards && least > kTabletRoom) css += " dense";
    if (has_cards && least > kDeskRoom) css += " upright";
    if (rows_.size() <= kShortRows) css += " short";
    if (!css_.empty()) css += ' ' + css_;
    return fmt::format(
        "<table class=\"{}\"><caption>{}</caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody>"
        "</table>\n",
        css, html_text(caption_), header(shown), body(shown));
}

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
