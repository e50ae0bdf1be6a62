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

// A table with a caption, inside a frame that scrolls sideways by itself, by keyboard too.
class HtmlTable {
public:
    enum class Width { content, page };

    explicit HtmlTable(std::string_view caption, Width width = Width::content);

    // Columns, in order; those of numbers stand to the right.
    HtmlTable& text_column(std::string_view title);
    HtmlTable& number_column(std::string_view title);

    // The row's header: the first cell.
    HtmlTable& row(std::string_view header_html);
    HtmlTable& text(std::string_view text);
    HtmlTable& html(std::string_view html);
    HtmlTable& html(std::string_view html, std::string_view css_class);
    HtmlTable& number(std::string_view text);
    // A heading over the rows that follow.
    HtmlTable& group(std::string_view title);
    HtmlTable& css(std::string_view css_class);  // of the <table>

    std::string markup() const;  // "" without rows

private:
    struct Column {
        std::string title;
        bool is_number = false;
    };
    std::string header() const;

    std::string caption_;
    std::string css_class_;
    Width width_;
    std::vector<Column> columns_;
    std::string body_;
    bool has_open_row_ = false;
};

// A chart with its title and legend; a script may take it by its id.
std::string html_figure(const Plot& plot);
// Charts side by side where there is room.
std::string html_charts(const std::vector<Plot>& plots);
// The values of lines, as a table that opens.
std::string html_values(const Plot& plot);
// All plots for the page's script: a JSON array. Not finite: null.
std::string plots_json(const std::vector<Plot>& plots);

// <dl> of names and values.
struct HtmlFact {
    std::string name;
    std::string html;
};
std::string html_facts(const std::vector<HtmlFact>& facts);

std::string html_details(std::string_view summary, std::string_view html);

enum class Tone { plain, good, bad, warning };
std::string html_badge(std::string_view text, Tone tone);
std::string html_state(storage::RunState state);

// "run-vgg-bn-1f3a5c7e": an anchor. Other characters than those of safe names become '_'.
std::string anchor_of(std::string_view run);

}  // namespace lockstep::reports
