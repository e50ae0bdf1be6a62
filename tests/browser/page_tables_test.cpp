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

// Three runs, of which one has failed and has no accuracy, as html_sweep_runs.cpp writes them.
constexpr const char* kTable = R"(<!doctype html><title>t</title>
<style>[hidden] { display: none }</style>
<svg><path data-run="a-1"/><path data-run="b-2"/><path data-run="c-3"/></svg>
<div class="sortable"><table>
<thead><tr><th>name</th><th class="n">test accuracy</th><th class="n">val. accuracy</th>
<th class="n">learning_rate</th><th class="n">dropout.rate</th><th>conv2d.kernel_size</th>
<th class="n">epochs</th><th class="n">train.epochs</th><th>state</th></tr></thead>
<tbody>
<tr><th data-run="b-2">net10</th><td><data value="0.5">0.5000</data></td>
<td><data value="0.4">0.4000</data></td><td><data value="0.1">0.1</data></td>
<td><data value="0.5">0.5</data></td><td>[2, 3]</td><td><data value="3">3</data></td>
<td><data value="3">3</data></td><td><data value="finished"><span>finished</span></data></td></tr>
<tr><th data-run="a-1">net9</th><td><data value="0.61">0.6100</data></td>
<td><data value="0.7">0.7000</data></td><td><data value="0.01">0.01</data></td>
<td><data value="0.5">0.5</data></td><td>[3, 3]</td><td><data value="3">3</data></td>
<td><data value="3">3</data></td><td><data value="finished"><span>finished</span></data></td></tr>
<tr><th data-run="c-3">other</th><td>–</td><td>–</td><td><data value="0.1">0.1</data></td>
<td>–</td><td>[2, 3]</td><td><data value="0">0</data></td><td><data value="3">3</data></td>
<td><data value="failed"><span>failed</span></data><small>epoch 0 of 3</small></td></tr>
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

TEST_CASE("page: a table sorts numbers by their value, names by their numbers", "[browser]") {
    const Json states =
        states_after({"sort test accuracy", "sort test accuracy", "sort name", "sort learning_rate",
                      "sort dropout.rate", "sort dropout.rate"});
    CHECK(states[0].at("rows") == Names{"net9", "net10", "other"});
    CHECK(states[0].at("order") == "test accuracy descending");
    // What has no value comes last in this order too.
    CHECK(states[1].at("rows") == Names{"net10", "net9", "other"});
    CHECK(states[1].at("order") == "test accuracy ascending");
    CHECK(states[2].at("rows") == Names{"net9", "net10", "other"});
    // What is equal keeps its order.
    CHECK(states[3].at("rows") == Names{"net10", "other", "net9"});
    CHECK(states[4].at("rows") == Names{"net10", "net9", "other"});
    CHECK(states[5].at("rows") == Names{"net10", "net9", "other"});
}

TEST_CASE("page: a filter takes words and conditions, and tells how many are left", "[browser]") {
    struct Filter {
        const char* text;
        Names rows;
    };
    const Names all{"net10", "net9", "other"};
    const std::vector<Filter> filters{
        {"test accuracy >= 0.61", {"net9"}},
        {"test_accuracy>=0.61", {"net9"}},
        {"val_accuracy<0.5", {"net10"}},
        {"learning_rate=0.1", {"net10", "other"}},
        {"learning=0.1", {"net10", "other"}},
        {"train.optimizer.learning_rate == 1e-1", {"net10", "other"}},
        {"learning_rate!=0.1", {"net9"}},
        {"test_accuracy=0.6100", {"net9"}},
        {"test_accuracy<0.6 and net", {"net10"}},
        {"NET", {"net10", "net9"}},
        {"state=failed", {"other"}},
        {"state != finished", {"other"}},
        {"epoch 0", {"other"}},
        {"conv2d.kernel_size=[2, 3]", {"net10", "other"}},
        {"conv2d.kernel_size=[2,3], state=finished", {"net10"}},
        {"kernel_size = \"[3, 3]\"", {"net9"}},
        {"epochs=0", {"other"}},
        {"train.epochs=3", all},
        {"learning_rate=", all},  // not written to its end
        {"nothing of the kind", {}},
    };
    Names actions;
    for (const Filter& filter : filters) actions.push_back(std::string("filter ") + filter.text);
    const Json states = states_after(actions);
    for (std::size_t i = 0; i < filters.size(); ++i) {
        CAPTURE(filters[i].text);
        CHECK(states[i].at("rows") == filters[i].rows);
        CHECK(states[i].at("status") == std::to_string(filters[i].rows.size()) + " of 3");
    }
    CHECK(states[0].at("out") == Names{"b-2", "c-3"});
}

TEST_CASE("page: a filter says what it cannot read, and lets nothing through", "[browser]") {
    const Json states = states_after({"filter nosuch=3", "filter accuracy>0.1", "filter rate=0.1",
                                      "filter learning_rate>high", "filter state<3"});
    CHECK(states[0].at("status") == "0 of 3; no column “nosuch”");
    CHECK(states[0].at("rows").empty());
    CHECK(states[1].at("status") == "0 of 3; “accuracy” may be test accuracy or val. accuracy");
    CHECK(states[2].at("status") == "0 of 3; “rate” may be learning_rate or dropout.rate");
    CHECK(states[3].at("status") == "0 of 3; “high” is no number");
    CHECK(states[4].at("status") == "0 of 3");  // a state is no number
}

}  // namespace lockstep::tests
