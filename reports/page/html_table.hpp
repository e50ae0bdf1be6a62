#pragma once

// Tables of a report's page. Arguments named html are markup already; all others are text and are
// escaped here.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::reports {

// A table with a caption. One of four columns or more becomes a card a row where it has no room,
// its values behind their columns' titles: below 768 pixels, and below 1,024 where it is wider than
// a screen of 768. Where that one is too narrow as well, the titles stand upright. Words are broken
// where with_line_breaks() lets them.
class HtmlTable {
public:
    enum class Width { content, page };
    enum class Column { always, where_filled };  // left out where every cell is kNoFigure or ""

    explicit HtmlTable(std::string_view caption, Width width = Width::content);

    // A class of its own, for the style sheet.
    HtmlTable& css(std::string_view name);

    // Columns, in order; those of numbers stand to the right.
    HtmlTable& text_column(std::string_view title, Column column = Column::always);
    HtmlTable& number_column(std::string_view title, Column column = Column::always);

    // The row's header: the first cell.
    HtmlTable& row(std::string_view header_html);
    HtmlTable& text(std::string_view text);
    HtmlTable& html(std::string_view html);
    HtmlTable& number(std::string_view text);
    HtmlTable& number_html(std::string_view html, std::string_view css = {});
    // A heading over the rows that follow.
    HtmlTable& group(std::string_view title);

    bool has_rows() const { return !rows_.empty(); }
    // Whether a screen of 1,024 pixels and A4 have the room for it, if need be with upright titles.
    bool fits() const;
    std::string markup() const;  // "" without rows

private:
    struct Title {
        std::string text;
        bool is_number = false;
        Column column = Column::always;
    };
    struct Cell {
        std::string html;
        bool is_number = false;
        std::string css{};
    };
    struct Row {
        std::string header;
        bool is_group = false;
        std::vector<Cell> cells{};  // of the columns after the first
    };
    enum class Heads { level, upright };
    bool is_filled(std::size_t column) const;
    std::vector<std::size_t> shown_columns() const;
    // Of the widest thing in a column that is never broken.
    double letters_of(std::size_t column, Heads heads) const;
    double least_width(Heads heads) const;  // pixels
    std::string header(const std::vector<std::size_t>& shown) const;
    std::string body(const std::vector<std::size_t>& shown) const;

    std::string caption_;
    Width width_;
    std::string css_;
    std::vector<Title> titles_;
    std::vector<Row> rows_;
};

}  // namespace lockstep::reports
