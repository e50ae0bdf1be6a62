// The table of runs in a report, sorted and filtered by its script in Chromium.

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

// Three runs and one that has no accuracy, as html_sweep_runs.cpp writes them.
constexpr const char* kTable = R"(<!doctype html><title>t</title>
<style>[hidden] { display: none }</style>
<svg><path data-run="a-1"/><path data-run="b-2"/><path data-run="c-3"/></svg>
<div class="sortable"><table>
<thead><tr><th>name</th><th class="n">test accuracy</th><th class="n">rate</th></tr></thead>
<tbody>
<tr><th data-run="b-2">net10</th><td><data value="0.5">0.5000</data></td><td><data value="0.1">0.1</data></td></tr>
<tr><th data-run="a-1">net9</th><td><data value="0.61">0.6100</data></td><td><data value="0.01">0.01</data></td></tr>
<tr><th data-run="c-3">other</th><td></td><td><data value="0.1">0.1</data></td></tr>
</tbody></table></div>
<script>)";

Json states_after(const Names& actions) {
    const TemporaryDirectory folder;
    const std::string page = (folder / "page.html").string();
    std::ofstream(page) << kTable << read_text(LOCKSTEP_TABLES_SCRIPT) << "</script>";
    Names command{"node", LOCKSTEP_USE_SCRIPT, page};
    command.insert(command.end(), actions.begin(), actions.end());
    Process node(command);
    const int exit_code = node.wait();
    INFO(node.errors());
    REQUIRE(exit_code == 0);
    Json states = Json::parse(node.output());
    REQUIRE(states.size() == actions.size());
    return states;
}

}  // namespace

TEST_CASE("page: a table sorts numbers by their value, names by their numbers, nothing last",
          "[browser]") {
    const Json states =
        states_after({"sort test accuracy", "sort test accuracy", "sort name", "sort rate"});
    CHECK(states[0].at("rows") == Names{"net9", "net10", "other"});
    CHECK(states[0].at("order") == "test accuracy descending");
    CHECK(states[1].at("rows") == Names{"other", "net10", "net9"});
    CHECK(states[1].at("order") == "test accuracy ascending");
    CHECK(states[2].at("rows") == Names{"net9", "net10", "other"});
    // What is equal keeps its order.
    CHECK(states[3].at("rows") == Names{"net10", "other", "net9"});
}

TEST_CASE("page: a filter takes conditions and words, and tells how many are left", "[browser]") {
    const Json states = states_after({"filter test accuracy >= 0.61", "filter rate=0.1",
                                      "filter acc<0.6 and net", "filter NET", "filter rate!=0.1",
                                      "filter rate=", "filter nothing of the kind"});
    CHECK(states[0].at("rows") == Names{"net9"});
    CHECK(states[0].at("status") == "1 of 3");
    CHECK(states[0].at("out") == Names{"b-2", "c-3"});
    CHECK(states[1].at("rows") == Names{"net10", "other"});
    CHECK(states[2].at("rows") == Names{"net10"});
    CHECK(states[3].at("rows") == Names{"net10", "net9"});
    CHECK(states[4].at("rows") == Names{"net9"});
    CHECK(states[5].at("rows") == Names{"net10", "net9", "other"});  // not written to its end
    CHECK(states[6].at("rows").empty());
    CHECK(states[6].at("status") == "0 of 3");
}

}  // namespace lockstep::tests
