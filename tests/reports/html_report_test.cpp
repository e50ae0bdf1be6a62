#include "reports/page/html_report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "reports/page/base64.hpp"
#include "reports/page/report_assets.hpp"
#include "reports/words/html_text.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

const std::string kHostile =
    "</script><script>alert(1)</script>\" onmouseover=\"x' <img src=x onerror=alert(2)> "
    "javascript:alert(3) {{7*7}} \xe2\x80\xa8 \x1b]0;x\x07 -->";

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

// The page without the texts that are no markup: style, scripts and the charts' JSON.
std::string markup_of(std::string html) {
    const std::string json = "id=\"report-data\">";
    if (const std::size_t at = html.find(json); at != std::string::npos) {
        const std::size_t begin = at + json.size();
        html.erase(begin, html.find("</script>", begin) - begin);
    }
    for (const std::string_view fixed :
         {page_style(), page_script(), table_script(), chart_script()}) {
        const std::size_t at = fixed.empty() ? std::string::npos : html.find(fixed);
        if (at != std::string::npos) html.erase(at, fixed.size());
    }
    return html;
}

// That of tables, and for charts the library, our own and their values.
const int kScripts = chart_script().empty() ? 1 : 4;

RowsSource two_runs() {
    RowsSource source({finished_run("a", 1, 0.9), finished_run("b", 1, 0.5)});
    source.put_predictions("a-00000001", 90, 100);
    source.put_predictions("b-00000001", 50, 100);
    return source;
}

TEST_CASE("base64 is that of RFC 4648's test vectors") {
    const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [text, expected] : vectors) {
        CHECK(base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}) ==
              expected);
    }
}

TEST_CASE("What augmentation makes of images stands once in the page") {
    RowsSource source({finished_run("a", 1, 0.9), finished_run("b", 1, 0.5)});
    storage::Predictions predictions;
    predictions.class_names = {"cat", "dog"};
    predictions.augmentation = {1, 2, {1, 2, 3, 4, 5, 6}};
    for (const char* run : {"a-00000001", "b-00000001"}) source.put_predictions(run, predictions);
    const std::string html = markup_of(html_report(report_of(source)));
    const std::size_t first = html.find("and what augmentation makes of them");
    REQUIRE(first != std::string::npos);
    CHECK(html.find("and what augmentation makes of them", first + 1) == std::string::npos);
    CHECK(html.find("Augmentation: as in a, shown there.") != std::string::npos);
}

TEST_CASE("A policy's hash is the one of the CSP specification's example") {
    // https://www.w3.org/TR/CSP3/#external-hash: alert('Hello, world.');
    CHECK(csp_hash("alert('Hello, world.');") ==
          "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
}

TEST_CASE("Text is inert in HTML and in a script's JSON") {
    CHECK(html_text("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    CHECK(html_text("a\x1b\nb") == "a\\x1b\\nb");
    CHECK(html_lines("a\n<b>") == "a\n&lt;b&gt;");
    const std::string json = script_json("\"</script><!--\xe2\x80\xa8\xe2\x80\xa9&\"");
    CHECK(json == "\"\\u003c/script\\u003e\\u003c!--\\u2028\\u2029\\u0026\"");
    CHECK(nlohmann::json::parse(json).get<std::string>() ==
          "</script><!--\xe2\x80\xa8\xe2\x80\xa9&");
}

TEST_CASE("A page has the policy's hash for each of its style and scripts, and nothing else runs") {
    const std::string html = html_report(report_of(two_runs()));
    CHECK(contains(html, "default-src 'none'"));
    CHECK(contains(html, csp_hash(page_style())));
    CHECK_FALSE(contains(html, "unsafe"));
    const std::string markup = markup_of(html);
    CHECK_FALSE(std::regex_search(markup, std::regex(" (style|on[a-z]+)=")));
    CHECK_FALSE(std::regex_search(markup, std::regex("(src|href)=\"(?!#|data:image/png)")));
    CHECK(count(html, "<style>") == 1);
    CHECK(contains(html, csp_hash(table_script())));
    CHECK(count(markup, "<script") == kScripts);
    if (chart_script().empty()) return;
    CHECK(contains(html, csp_hash(chart_script())));
    CHECK(contains(html, csp_hash(page_script())));
}

TEST_CASE("Whatever a user wrote is inert wherever it stands") {
    auto run = finished_run("a", 1, 0.9);
    run.run.title = run.run.source = run.run.notes = run.run.optimizer = run.run.dataset = kHostile;
    run.run.effective_config += "x = \"" + kHostile + "\"\n";
    run.run.expected = R"({"test_accuracy":0.5})";
    run.attempts[0].host = run.attempts[0].cause = run.attempts[0].job_id = kHostile;
    run.events = {{run.run.run, 1, kHostile, kHostile, kHostile}};
    run.artifacts = {{run.run.run, kHostile, kHostile, 1, kHostile, 1}};
    auto named = finished_run("b", 1, 0.9);
    named.run.name = kHostile;
    named.run.state = storage::RunState::failed;
    const std::string html = html_report(report_of(RowsSource({run, named}), kHostile));
    const std::string markup = markup_of(html);
    CHECK(count(markup, "<script") == kScripts);
    CHECK_FALSE(contains(markup, "<img src=x"));
    CHECK_FALSE(contains(markup, "\" onmouseover"));
    CHECK_FALSE(contains(markup, "\x1b"));
    CHECK_FALSE(contains(markup, "\xe2\x80\xa8"));
    CHECK(contains(markup, "&lt;script&gt;alert(1)"));
}

TEST_CASE("Every chart has a name, and every id is there once") {
    const std::string html = html_report(report_of(two_runs()));
    CHECK(count(html, "<svg class=\"plot\"") == count(html, "<figure data-plot="));
    std::vector<std::string> ids;
    const std::regex id(" id=\"([^\"]*)\"");
    const std::string markup = markup_of(html);
    for (std::sregex_iterator at(markup.begin(), markup.end(), id), end; at != end; ++at) {
        ids.push_back((*at)[1]);
    }
    REQUIRE(ids.size() > 10);
    std::ranges::sort(ids);
    CHECK(std::ranges::adjacent_find(ids) == ids.end());
    const std::regex link("href=\"#([^\"]*)\"");
    for (std::sregex_iterator at(markup.begin(), markup.end(), link), end; at != end; ++at) {
        CAPTURE((*at)[1].str());
        CHECK(std::ranges::binary_search(ids, (*at)[1].str()));
    }
}

TEST_CASE("The same image is in the page once") {
    const std::string html = html_report(report_of(two_runs()));
    CHECK(count(html, "<image ") == 1);
    CHECK(count(html, "href=\"#atlas0\"") == 3);  // a sample, and one of each run
}

TEST_CASE("No runs, runs that did nothing, and failed runs make a page that says so") {
    CHECK(contains(html_report(report_of(RowsSource({}))), "No run has been recorded yet."));
    auto failed = queued_run("f");
    failed.run.state = storage::RunState::failed;
    storage::AttemptRow attempt;
    attempt.cause = "loss is not finite in epoch 1, step 3";
    failed.attempts = {attempt};
    const std::string html = html_report(report_of(RowsSource({queued_run("q"), failed})));
    CHECK(contains(html, "No epoch has been finished"));
    CHECK(contains(html, "loss is not finite in epoch 1, step 3"));
    CHECK_FALSE(contains(markup_of(html), ">nan<"));
}

TEST_CASE("A thousand runs make a page of bounded size that tells what it leaves out") {
    std::vector<storage::RunDetails> runs;
    for (int i = 0; i < 1000; ++i) runs.push_back(finished_run("run" + std::to_string(i), 1, 0.5));
    for (std::size_t i = 0; i < runs.size(); ++i) {
        runs[i].run.effective_config += "alpha = " + std::to_string(i) + "\n";
    }
    const std::string html = html_report(report_of(RowsSource(std::move(runs))));
    CHECK(html.size() < 2'000'000);
    CHECK(contains(html, "The first 20 of 1000 runs"));
    CHECK(contains(html, "The first 100 of 1000 architectures"));
}

TEST_CASE("A training that is stored twice is counted once at a glance") {
    auto first = finished_run("a", 1, 0.8), second = finished_run("again", 1, 0.8);
    first.run.config_digest = second.run.config_digest = "one configuration";
    second.run.name = "a";
    second.run.state = storage::RunState::queued;
    const std::string html = html_report(report_of(RowsSource({first, second})));
    CHECK(contains(html, "<dt>Runs finished</dt><dd>1 of 1<"));
    CHECK(contains(html, "<small>10 epochs</small>"));
    CHECK_FALSE(contains(html, "has not finished"));
}

}  // namespace
}  // namespace lockstep::reports
