#pragma once

// The pieces a report's page is made of. Arguments named html are markup already; all others are
// text and are escaped here.

#include <string>
#include <string_view>
#include <vector>

#include "reports/charts/plot.hpp"
#include "reports/page/html_table.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

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
