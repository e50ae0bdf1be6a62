#pragma once

// The pieces a report's page is made of. Arguments named html are markup already; all others are
// text and are escaped here.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/charts/plot.hpp"
#include "storage/records/records.hpp"

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

// A chart with its title and legend; a script may take it by its id.
std::string html_figure(const Plot& plot);
// Charts side by side where there is room; one legend below them where all have the same.
std::string html_charts(const std::vector<Plot>& plots);
// The values of lines, as a table that opens, or several of five lines each: evenly some fifty
// values, where there are more.
std::string html_values(const Plot& plot);
// All plots for the page's script: a JSON array. Not finite: null.
std::string plots_json(const std::vector<Plot>& plots);

// <dl> of names and values.
struct HtmlFact {
    std::string name;
    std::string html;
};
std::string html_facts(const std::vector<HtmlFact>& facts);

// What is shown on demand; on paper only where it is open. "" for "".
enum class Details { closed, open };
std::string html_details(std::string_view summary, std::string_view html,
                         Details details = Details::closed);
// A sentence in small print.
std::string html_note(std::string_view text);

enum class Tone { plain, good, bad, warning };
std::string html_badge(std::string_view text, Tone tone);
std::string html_state(storage::RunState state);

// "run-vgg-bn-1f3a5c7e": an anchor. Other characters than those of safe names become '_'.
std::string anchor_of(std::string_view run);

}  // namespace lockstep::reports
