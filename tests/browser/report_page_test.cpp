// A report's page in Chromium, at the widths of a telephone, a tablet and a desk, zoomed, dark and
// on paper: what page_checks.js and measure_page.js find there. Each check is also shown a page
// that it has to refuse.

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/browser/imagined_reports.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

using Json = nlohmann::json;

constexpr int kPagesOfFive = 12;   // on paper, for five runs
constexpr int kPagesOfSweep = 16;  // for 24 runs of a sweep, of which few are told in full

// `views`: "1400,print"; "" for all.
Json measured(const std::string& html, const std::string& views = "") {
    const TemporaryDirectory folder;
    std::ofstream(folder / "report.html") << html;
    std::vector<std::string> command{"node", LOCKSTEP_MEASURE_SCRIPT,
                                     (folder / "report.html").string()};
    if (!views.empty()) command.insert(command.end(), {"--views", views});
    Process node(command);
    const int exit_code = node.wait();
    INFO(node.errors());
    REQUIRE(exit_code == 0);
    return Json::parse(node.output());
}

// The first few, a line each.
std::string text_of(const Json& findings) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(findings.size(), 20); ++i) {
        const Json& each = findings[i];
        text += each.at("view").get<std::string>() + ": " + each.at("check").get<std::string>() +
                ": " + each.at("text").get<std::string>() + "\n";
    }
    return text;
}

bool has(const Json& findings, const std::string& check) {
    return std::any_of(findings.begin(), findings.end(),
                       [&](const Json& each) { return each.at("check") == check; });
}

// Of lines and paragraphs, U+2028 and U+2029, which ended a line in old JavaScript: the page may
// show them in words.
std::string without_separators(std::string text) {
    for (const char* separator : {"\xe2\x80\xa8", "\xe2\x80\xa9"}) {
        for (std::size_t at; (at = text.find(separator)) != std::string::npos;) text.erase(at, 3);
    }
    return text;
}

std::string with(std::string html, const std::string& before, const std::string& added) {
    const std::size_t at = html.find(before);
    REQUIRE(at != std::string::npos);
    return html.insert(at, added);
}

}  // namespace

TEST_CASE("page: one run, five and two hundred are whole at every width, in the dark and on paper",
          "[browser]") {
    const int runs = GENERATE(1, 5, 200);
    CAPTURE(runs);
    const Json measures = measured(reports::imagined_page(runs));
    const Json& findings = measures.at("findings");
    INFO(text_of(findings));
    CHECK(findings.empty());
    // There was something to measure.
    CHECK(measures.at("counts").at("tables").get<int>() > 5);
    CHECK(measures.at("counts").at("charts").get<int>() > 5);
    CHECK(measures.at("counts").at("buttons") == measures.at("counts").at("charts"));
    if (runs == 5) CHECK(measures.at("pages").get<int>() <= kPagesOfFive);
}

TEST_CASE("page: sweeps of two, five and eight settings are whole too", "[browser]") {
    const int settings = GENERATE(2, 5, 8);
    CAPTURE(settings);
    const Json measures = measured(reports::swept_page(settings, 64));
    INFO(text_of(measures.at("findings")));
    CHECK(measures.at("findings").empty());
    CHECK(measures.at("counts").at("tables").get<int>() > 5);
}

TEST_CASE("page: settings of words and lists, and losses of many digits, fit too", "[browser]") {
    const Json measures = measured(reports::worded_page(40));
    INFO(text_of(measures.at("findings")));
    CHECK(measures.at("findings").empty());
    CHECK(measures.at("counts").at("tables").get<int>() > 5);
}

TEST_CASE("page: a sweep of 24 runs prints the details of few, and the head of all its tables",
          "[browser]") {
    const std::string html = reports::swept_page(3, 24);
    const Json measures = measured(html, "print");
    INFO(text_of(measures.at("findings")));
    CHECK(measures.at("findings").empty());
    CHECK(measures.at("pages").get<int>() <= kPagesOfSweep);
    // A head that is lost on paper is found.
    const Json broken =
        measured(with(html, "<h2 id=\"leaderboard\">",
                      "<table><caption>c</caption><thead><tr><th scope=\"col\"><button "
                      "type=\"button\">a</button></th></tr></thead><tbody><tr><th "
                      "scope=\"row\">b</th></tr></tbody></table>"),
                 "print");
    CHECK(has(broken.at("findings"), "titles"));
}

TEST_CASE("page: twelve runs in full are less than 3 MB", "[browser]") {
    const std::string html = reports::full_page(12);
    CHECK(html.size() > 1'000'000);  // they are in full
    CHECK(html.size() < 3'000'000);
}

TEST_CASE("page: what is open is printed, what is closed is not", "[browser]") {
    std::string html = reports::imagined_page(5);
    const int closed = measured(html, "print").at("pages").get<int>();
    for (std::size_t at = 0; (at = html.find("<details>", at)) != std::string::npos;) {
        html.replace(at, 9, "<details open>");
    }
    CHECK(measured(html, "print").at("pages").get<int>() > closed + 5);
}

TEST_CASE("page: whatever words of others say is text, and nothing runs", "[browser]") {
    const std::vector<std::string> texts{"<script>alert(1)</script>",
                                         "\" onmouseover=\"alert(2)",
                                         "</script><script>alert(3)</script>",
                                         "javascript:alert(4)",
                                         "{{7*7}}${7*7}",
                                         "\xe2\x80\xa8"
                                         "alert(5)//\xe2\x80\xa9",
                                         "<img src=x onerror=alert(6)>",
                                         "-->]]><svg onload=alert(7)>"};
    const Json measures = measured(reports::page_of_texts(texts), "1400,print");
    // How such words fit into columns is no question here.
    for (const char* check : {"dialog", "console", "active", "structure"}) {
        CAPTURE(check);
        INFO(text_of(measures.at("findings")));
        CHECK_FALSE(has(measures.at("findings"), check));
    }
    CHECK(measures.at("counts").at("charts").get<int>() > 5);
    CHECK(measures.at("counts").at("buttons") == measures.at("counts").at("charts"));
    const Json& words = measures.at("words");
    for (const std::string& text : texts) {
        CAPTURE(text);
        for (const char* place : {"title", "heading", "text"}) {
            CAPTURE(place);
            CHECK(words.at(place).get<std::string>().find(without_separators(text)) !=
                  std::string::npos);
        }
    }
}

TEST_CASE("page: a dialog, a handler and a foreign frame would be seen", "[browser]") {
    const std::string page = "<!doctype html><title>x</title><h1>x</h1>";
    CHECK(has(measured(page + "<script>alert(1)</script>", "1400").at("findings"), "dialog"));
    CHECK(has(measured(page + "<p onmouseover='1'>x</p>", "1400").at("findings"), "active"));
    CHECK(has(measured(page + "<a href=' javascript:1'>x</a>", "1400").at("findings"), "active"));
    CHECK(has(measured(page + "<iframe></iframe>", "1400").at("findings"), "active"));
    CHECK(has(measured(page + "<script>throw 1</script>", "1400").at("findings"), "console"));
}

TEST_CASE("page: every check refuses a page that is broken its way", "[browser]") {
    struct Broken {
        const char* check;
        const char* markup;
    };
    const auto [check, markup] = GENERATE(
        Broken{"overflow", R"(<svg role="img" aria-label="wide" width="1500" height="1"></svg>)"},
        Broken{
            "clipped",
            R"(<table><caption>c</caption><thead><tr><th scope="col">a</th></tr></thead>)"
            R"(<tbody><tr><th scope="row">b</th><td class="n">A figure that does not fit its )"
            R"(column, since it may not be broken, whatever the width of the page may be, and )"
            R"(is wider than any page that is looked at here, the one of paper not left out, so )"
            R"(that its end is nowhere</td></tr></tbody></table>)"},
        Broken{"overlaps", R"(<svg class="plot" role="img" aria-label="x" viewBox="0 0 440 290">)"
                           R"(<text x="50" y="50">one</text><text x="55" y="52">two</text></svg>)"},
        Broken{"tooSmall",
               "<p><small><small><small><small>tiny</small></small></small></small></p>"},
        Broken{"contrast", R"(<p><font color="#888888">pale</font></p>)"},
        Broken{"structure", "<h5>A heading two levels down</h5>"},
        Broken{"structure", R"(<svg viewBox="0 0 1 1" width="1" height="1"></svg>)"},
        Broken{"structure",
               "<table><tbody><tr><td>no caption, no header</td></tr></tbody></table>"},
        Broken{"accessibility", R"(<button type="button"></button>)"},
        Broken{"console", "<script>document.title = 'not of the policy';</script>"},
        Broken{"titles",
               "<table><caption>c</caption><thead><tr><th scope=\"col\">a</th><th scope=\"col\">"
               "<span hidden>b</span></th></tr></thead><tbody><tr><th scope=\"row\">c</th>"
               "<td>d</td></tr></tbody></table>"},
        Broken{"broken",
               "<table><caption>c</caption><thead><tr><th scope=\"col\" width=\"20\">a</th></tr>"
               "</thead><tbody><tr><th scope=\"row\" width=\"20\"><ul class=\"legend\"><li>"
               "finished</li></ul></th></tr>"
               "</tbody></table>"},
        Broken{"broken",  // a head with a button in it; style sheets of others are barred
               "<table><caption>c</caption><thead><tr><th scope=\"col\" width=\"20\">"
               "<span class=\"legend\"><button type=\"button\">seed seed</button></span></th></tr>"
               "</thead><tbody><tr><th scope=\"row\">b</th></tr></tbody></table>"},
        Broken{"hints",
               "<input aria-label=\"x\" size=\"4\" placeholder=\"words, or column=value\">"},
        Broken{"hints",
               "<table><caption>c</caption><thead><tr><th scope=\"col\"><button "
               "type=\"button\">seed</button></th></tr></thead><tbody><tr><th "
               "scope=\"row\">b</th></tr></tbody></table>"},
        Broken{
            "exploring",
            R"(<table><caption>c</caption><thead><tr><th scope="col">a</th></tr></thead>)"
            R"(<tbody><tr><th scope="row" width="90"><figure data-plot="val-accuracy" )"
            R"(aria-label="x"><figcaption>x</figcaption><svg class="plot" role="img" )"
            R"(aria-label="x" viewBox="0 0 440 290"></svg></figure></th></tr></tbody></table>)"});
    CAPTURE(check, markup);
    const Json findings =
        measured(with(reports::imagined_page(1), "<h2 id=\"leaderboard\">", markup), "1400")
            .at("findings");
    INFO(text_of(findings));
    CHECK(has(findings, check));
}

}  // namespace lockstep::tests
