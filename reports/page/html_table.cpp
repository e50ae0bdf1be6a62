#include "reports/page/html_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "reports/page/line_breaks.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

// Columns of a table that is shown as cards on narrow screens.
constexpr std::size_t kCardColumns = 4;
constexpr std::size_t kShortRows = 12;  // of a table that stays on one page of paper
constexpr const char* kShortCell = "short";
constexpr const char* kWrapped = "wrap";
// Of a cell that is broken on telephones alone: of any, and of a value in braces.
constexpr std::size_t kShortLetters = 11;
constexpr std::size_t kShortBraces = 20;

// The least width of a table, from its letters: of wide ones, as screens have them, in pixels.
constexpr double kLetter = 8.2;
constexpr double kPadding = 8.0;
// Between the margins of screens of 768 and 1,024 pixels, of the former without what badges and the
// signs of sorting take. What fits the latter in the letters of a dense table fits A4 too.
constexpr double kTabletRoom = 660.0;
constexpr double kDeskRoom = 984.0;

bool is_short(std::string_view text) {
    return text.size() <= (text.starts_with('{') ? kShortBraces : kShortLetters);
}

const char* class_of(bool is_number) { return is_number ? " class=\"n\"" : ""; }

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
    rows_.back().cells.push_back({html_text(text), false, is_short(text) ? kShortCell : ""});
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

}  // namespace lockstep::reports
