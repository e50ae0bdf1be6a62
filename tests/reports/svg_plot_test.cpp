#include "reports/charts/svg_plot.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "reports/page/html_elements.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Plot plot_of(std::vector<PlotPoint> points) {
    return {.id = "p",
            .title = "A title",
            .description = "A sentence.",
            .x = {.label = "epoch"},
            .y = {.label = "loss"},
            .series = {{"vgg", 0, LineStyle::solid, std::move(points)}}};
}

int count(const std::string& text, const std::string& part) {
    int found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

TEST_CASE("Ticks are round numbers inside the values") {
    CHECK(linear_ticks(0.0, 10.0, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(linear_ticks(3.0, 3.0, 5) == std::vector<double>{3.0});
    CHECK(logarithmic_ticks(90.0, 11'000.0) ==
          std::vector<double>{100, 200, 500, 1000, 2000, 5000, 10'000});
    CHECK(logarithmic_ticks(1.0, 1e6).size() == 7);
}

TEST_CASE("Every axis has three ticks at least, and no two of them read alike") {
    for (const double low : {0.2, 1.0, 3.0, 289'000.0}) {
        for (const double factor : {1.001, 1.01, 1.5, 4.0, 30.0, 400.0, 1e5}) {
            CAPTURE(low, factor);
            const std::vector<double> ticks = logarithmic_ticks(low, low * factor);
            CHECK(ticks.size() >= 3);
            for (const double tick : ticks) CHECK(tick >= low * 0.999999);
            std::vector<std::string> texts = tick_texts(ticks);
            REQUIRE(texts.size() == ticks.size());
            std::ranges::sort(texts);
            CHECK(std::ranges::adjacent_find(texts) == texts.end());
        }
    }
    CHECK(tick_texts({0.0, 0.5, 1.0}) == std::vector<std::string>{"0", "0.5", "1"});
    CHECK(tick_texts({289'000, 289'250}) == std::vector<std::string>{"289k", "289.25k"});
}

TEST_CASE("Numbers on axes are short") {
    CHECK(short_number(0.0) == "0");
    CHECK(short_number(0.25) == "0.25");
    CHECK(short_number(1000.0) == "1k");
    CHECK(short_number(999.7) == "1k");
    CHECK(short_number(552'362) == "552k");
    CHECK(short_number(-3'858'544.0) == "-3.86M");
    CHECK(short_number(kNaN) == "NaN");
}

TEST_CASE("A line breaks where a value is no number, and a lone point is a dot") {
    const std::string svg =
        svg_plot(plot_of({{1, 3}, {2, 2}, {3, kNaN}, {4, 1}, {5, kNaN}, {6, 2}, {7, 3}}));
    const std::size_t at = svg.find("class=\"line");
    const std::string path = svg.substr(at, svg.find("/>", at) - at);
    CHECK(count(path, "M") == 3);
    CHECK(count(path, "L") == 2);
    CHECK(count(svg, "<circle") == 1);
    CHECK(svg.find("nan") == std::string::npos);
}

TEST_CASE("Values stand where the axes say: the ends of a line are the ends of the x axis") {
    const std::string svg = svg_plot(plot_of({{0, 0}, {10, 1}}));
    CHECK(svg.find("M80.0 ") != std::string::npos);   // the left edge
    CHECK(svg.find("L428.0 ") != std::string::npos);  // the right one
}

TEST_CASE("A plot without values says so, and draws nothing") {
    for (const Plot& plot : {plot_of({}), plot_of({{1, kNaN}})}) {
        CHECK_FALSE(plot.has_values());
        const std::string svg = svg_plot(plot);
        CHECK(svg.find("no values yet") != std::string::npos);
        CHECK(svg.find("<path") == std::string::npos);
    }
}

TEST_CASE("One value, equal values and zero on a logarithmic axis are drawn") {
    CHECK(count(svg_plot(plot_of({{1, 0.5}})), "<circle") == 1);
    CHECK(svg_plot(plot_of({{1, 2}, {2, 2}})).find("nan") == std::string::npos);
    Plot logarithmic = plot_of({{1, 0.0}, {2, 10.0}, {3, 100.0}});
    logarithmic.y.is_logarithmic = true;
    const std::string svg = svg_plot(logarithmic);
    CHECK(svg.find("inf") == std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
}

TEST_CASE("A drawing names itself to those who cannot see it, and hostile names are inert") {
    Plot plot = plot_of({{1, 2}, {2, 3}});
    plot.title = "</title><script>alert(1)</script>";
    plot.x.label = "\" onload=\"alert(2)";
    const std::string svg = svg_plot(plot);
    CHECK(svg.find("role=\"img\"") != std::string::npos);
    CHECK(svg.find("<title id=\"p-t\">&lt;/title&gt;") != std::string::npos);
    CHECK(svg.find("<script") == std::string::npos);
    CHECK(svg.find("\" onload=") == std::string::npos);
}

TEST_CASE("The ninth series has the first one's colour with dashes") {
    CHECK(series_class({"", 0}) == "s0");
    CHECK(series_class({"", 8}) == "s0 d1");
    CHECK(series_class({"", 0, LineStyle::dashed}) == "s0 d1");
    CHECK(series_class({"", 33}).starts_with("s1 d"));
}

TEST_CASE("The script's copy of a plot has null where there is no number") {
    const std::string json = plots_json({plot_of({{1, kNaN}, {2, 0.123456789}})});
    CHECK(json.find("\"y\":[null,0.12346]") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::reports
