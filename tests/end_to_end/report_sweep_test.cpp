// The report of a sweep: every figure of its section on settings, of its first sentences and of
// what it says of selections is that of the run database, asked in SQL for its tables.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/report_tables.hpp"
#include "tests/end_to_end/sweep_store.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kRate = "train.optimizer.learning_rate";
constexpr const char* kUnits = "layers.dense.units";

const fs::path& store() { return sweep_store(); }

const std::string& page() {
    static const std::string html = read_text(store() / "reports/sweep/report.html");
    return html;
}

ReportTable table(const std::string& title) {
    const auto found = titled(html_tables(page()), title);
    REQUIRE(found.size() == 1);
    return found[0];
}

Json rows(const std::string& sql) {
    const Result result = lockstep({"query", sql, "--store", store().string(), "--format", "json"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.output);
}

// The runs with their two settings and their figures, as tables of the database have them.
const std::string kRuns = fmt::format(
    "with runs_of_sweep as (select r.run, r.name, r.seed, r.state, "
    "rtrim(rtrim(r.name, '12'), '-seed') as design, "
    "(select value from v_settings s where s.run = r.run and key = '{}') as rate, "
    "(select value from v_settings s where s.run = r.run and key = '{}') as units, "
    "(select value from metrics m where m.run = r.run and name = 'test_accuracy') as accuracy, "
    "(select value from metrics m where m.run = r.run and name = 'test_loss') as loss, "
    "(select e.val_accuracy from epochs e join metrics m on m.run = e.run and "
    "m.name = 'weights_epoch' and e.epoch = m.value where e.run = r.run) as val_accuracy, "
    "(select count(*) from epochs e where e.run = r.run) as epochs "
    "from runs r where r.experiment = 'sweep') ",
    kRate, kUnits);

Json sweep_rows(const std::string& select) { return rows(kRuns + select); }

double number(const Json& rows, const char* column) { return rows.at(0).at(column).get<double>(); }

std::string figure(double value) { return fmt::format("{:.4f}", value); }
std::string figure(const Json& value) { return figure(value.get<double>()); }

std::string percent(double share) {
    return 100.0 * share < 0.1 ? "under 0.1 %" : fmt::format("{:.1f} %", 100.0 * share);
}

// The sums of squares of a complete grid, by the classic formulas.
struct Squares {
    double total, rate, units, between, within;
    double interactions() const { return between - rate - units; }
};
Squares squares() {
    const auto around = [](const std::string& by) {
        return number(sweep_rows(fmt::format(
                          "select sum((m - (select avg(accuracy) from runs_of_sweep)) * "
                          "(m - (select avg(accuracy) from runs_of_sweep))) as s from (select "
                          "avg(accuracy) over (partition by {}) as m from runs_of_sweep)",
                          by)),
                      "s");
    };
    Squares found{around("run"), around("rate"), around("units"), around("rate, units"), 0.0};
    found.within = found.total - found.between;
    return found;
}

// Two-sided, of t with 4 degrees of freedom, in closed form; F with 1 and 4 is its square.
double p_of_f(double f) {
    const double x = std::sqrt(f) / std::sqrt(1.0 + f / 4.0);
    return 1.0 - 0.75 * x * (1.0 - x * x / 12.0);
}
std::string p_text(double p) { return p < 1e-4 ? "&lt; 0.0001" : figure(p); }

// P(|T| > t) of Student's distribution, by Simpson's rule: with t = sqrt(degrees) tan(a), P = c
// integral of cos^(degrees - 1) from |a| to pi / 2.
double p_of_t(double t, double degrees) {
    constexpr int kSteps = 20000;  // even
    const auto integral = [&](double from) {
        const double step = (std::acos(0.0) - from) / kSteps;
        double sum = 0.0;
        for (int i = 0; i <= kSteps; ++i) {
            const double weight = i == 0 || i == kSteps ? 1.0 : i % 2 == 0 ? 2.0 : 4.0;
            sum += weight * std::pow(std::max(0.0, std::cos(from + i * step)), degrees - 1.0);
        }
        return sum * step / 3.0;
    };
    return integral(std::atan(std::abs(t) / std::sqrt(degrees))) / integral(0.0);
}

std::string f_text(double f) { return fmt::format("{:.2f} (1, 4)", f); }
std::string verdict(double p) {
    return p < 0.05 ? "larger than seed noise" : "not larger than seed noise";
}

TEST_CASE("a sweep's report: every run with its settings and figures", "[end_to_end]") {
    const ReportTable runs = table("Runs, in the order");
    const Json expected = sweep_rows("select * from runs_of_sweep");
    REQUIRE(expected.size() == 8);
    CHECK(runs.rows.size() == 8);
    for (const Json& run : expected) {
        const auto cell = [&](const char* column) { return runs.at(run.at("name"), column); };
        CAPTURE(run);
        CHECK(std::stod(cell("learning_rate")) == run.at("rate").get<double>());
        CHECK(cell("dense.units") == run.at("units").dump());
        CHECK(cell("seed") == run.at("seed").dump());
        CHECK(cell("test accuracy") == figure(run.at("accuracy")));
        CHECK(cell("test loss") == figure(run.at("loss")));
        CHECK(cell("val. accuracy") == figure(run.at("val_accuracy")));
        CHECK(cell("epochs") == run.at("epochs").dump());
        CHECK(cell("state") == run.at("state").get<std::string>());
    }
    // What the page's script sorts by is the exact figure.
    std::multiset<double> exact;
    const std::regex data("<data value=\"([^\"]*)\">0\\.[0-9]{4}</data>");
    for (std::sregex_iterator at(page().begin(), page().end(), data), end; at != end; ++at) {
        exact.insert(std::stod((*at)[1]));
    }
    for (const Json& run : expected) CHECK(exact.contains(run.at("accuracy").get<double>()));
}

TEST_CASE("a sweep's report: the analysis of variance", "[end_to_end]") {
    const ReportTable effects = table("Where the spread of test accuracy");
    CHECK(effects.rows.size() == 4);
    const Squares ss = squares();
    const double noise = ss.within / 4.0;
    REQUIRE(noise > 0.0);
    const std::array<double, 3> parts{ss.rate, ss.units, ss.interactions()};
    const double p_rate = p_of_f(parts[0] / noise), p_units = p_of_f(parts[1] / noise);
    const std::array<double, 3> raw{p_rate, p_units, p_of_f(parts[2] / noise)};
    // Holm over the three: the greatest (m - j + 1) p(j) of those up to a test's own place.
    const auto holm = [&](double own) {
        std::array<double, 3> sorted = raw;
        std::ranges::sort(sorted);
        double adjusted = 0.0;
        for (std::size_t j = 0; j < 3 && sorted[j] <= own; ++j)
            adjusted = std::max(adjusted, std::min(1.0, double(3 - j) * sorted[j]));
        return adjusted;
    };
    const std::array<double, 3> p{holm(raw[0]), holm(raw[1]), holm(raw[2])};
    const std::array<const char*, 3> names{"learning_rate", "dense.units", "interactions"};
    for (std::size_t i = 0; i < names.size(); ++i) {
        CAPTURE(names[i]);
        const auto cell = [&](const char* column) { return effects.at(names[i], column); };
        CHECK(cell("share of variance") == percent(parts[i] / ss.total));
        CHECK(cell("F (degrees)") == f_text(parts[i] / noise));
        CHECK(cell("p after Holm") == p_text(p[i]));
        CHECK(cell("verdict") == verdict(p[i]));
    }
    // The same in report.md, where the setting's value stands beside the mean.
    const auto words = titled(markdown_tables(read_text(store() / "reports/sweep/report.md")),
                              "Which setting mattered?");
    REQUIRE(words.size() == 1);
    CHECK(words[0].rows.size() == effects.rows.size());
    for (const Row& row : effects.rows) {
        for (const char* column : {"share of variance", "verdict", "F (degrees)", "p after Holm"})
            CHECK(words[0].at(row[0], column) == effects.at(row[0], column));
    }
    CHECK(effects.at("seeds", "share of variance") == percent(ss.within / ss.total));
    CHECK(effects.at("seeds", "verdict") ==
          "the noise: standard deviation " + figure(std::sqrt(noise)));
    CHECK(page().find(fmt::format("one run scatters by {} (standard deviation, 4 degrees",
                                  figure(std::sqrt(noise)))) != std::string::npos);
    for (const char* setting : {"rate", "units"}) {
        const Json means = sweep_rows(fmt::format(
            "select avg(accuracy) as mean, {0} as value from runs_of_sweep group by {0} "
            "order by mean",
            setting));
        REQUIRE(means.size() == 2);
        const std::string row = setting == std::string("rate") ? names[0] : names[1];
        const auto at = [&](const Json& mean) {
            return fmt::format("{} {}", figure(mean.at("mean")), mean.at("value").dump());
        };
        CHECK(effects.at(row, "best mean, at") == at(means[1]));
        CHECK(effects.at(row, "worst mean, at") == at(means[0]));
        CHECK(effects.at(row, "apart") ==
              figure(means[1].at("mean").get<double>() - means[0].at("mean").get<double>()));
    }
}

TEST_CASE("a sweep's report: what to try next", "[end_to_end]") {
    const Json last = sweep_rows(
        "select sum(is_last) as rising, count(*) as runs from (select e.run, (select epoch from "
        "epochs o where o.run = e.run order by val_accuracy desc, epoch limit 1) = max(e.epoch) "
        "as is_last from epochs e join runs_of_sweep s on s.run = e.run group by e.run "
        "having count(*) > 1)");
    const std::string rising = fmt::format("<b>{} of {} runs</b> that trained all their epochs",
                                           last[0].at("rising").dump(), last[0].at("runs").dump());
    const bool is_told = last[0].at("runs") > 0 && last[0].at("rising") > 0;
    CAPTURE(rising);
    CHECK((page().find(rising) != std::string::npos) == is_told);
    const ReportTable effects = table("Where the spread of test accuracy");
    for (const auto& [name, column] :
         {std::pair("learning_rate", "rate"), std::pair("dense.units", "units")}) {
        const Json means = sweep_rows(fmt::format(
            "select {0} as value, {0} = (select max({0}) from runs_of_sweep) as is_largest "
            "from runs_of_sweep group by {0} order by avg(accuracy) desc",
            column));
        const std::string edge = fmt::format(
            "The best value of <b>{}</b>, {}, is the {} that was tried", name,
            means[0].at("value").dump(), means[0].at("is_largest") == 1 ? "largest" : "smallest");
        CAPTURE(edge);
        CHECK((page().find(edge) != std::string::npos) ==
              (effects.at(name, "verdict") == "larger than seed noise"));
    }
}

TEST_CASE("a sweep's report: means by value, and by pairs of values", "[end_to_end]") {
    const ReportTable means = table("Test accuracy by value");
    CHECK(means.rows.size() == 4);
    for (const auto& [column, name] :
         {std::pair("rate", "learning_rate"), std::pair("units", "dense.units")}) {
        const Json expected = sweep_rows(fmt::format(
            "select {0} as value, count(*) as runs, avg(accuracy) as mean, min(accuracy) as low, "
            "max(accuracy) as high from runs_of_sweep group by {0}",
            column));
        REQUIRE(expected.size() == 2);
        for (const Json& level : expected) {
            const Row row{name,
                          level.at("value").dump(),
                          level.at("runs").dump(),
                          figure(level.at("mean")),
                          figure(level.at("low")),
                          figure(level.at("high"))};
            CHECK(std::ranges::count(means.rows, row) == 1);
        }
    }
    const auto maps = titled(html_tables(page()), "learning_rate × dense.units");
    const auto turned = titled(html_tables(page()), "dense.units × learning_rate");
    REQUIRE(maps.size() + turned.size() == 1);
    const ReportTable& map = maps.empty() ? turned[0] : maps[0];
    for (const Json& pair :
         sweep_rows("select rate, units, count(*) as runs, avg(accuracy) as mean from "
                    "runs_of_sweep group by rate, units")) {
        const std::string rate = pair.at("rate").dump(), units = pair.at("units").dump();
        CHECK((maps.empty() ? map.at(units, rate) : map.at(rate, units)) ==
              fmt::format("{} {} runs", figure(pair.at("mean")), pair.at("runs").dump()));
    }
}

// Marks of one kind with their run's place, their height and their words.
struct Mark {
    double y = 0.0;
    std::string words;
};
std::vector<Mark> marks(const std::regex& pattern) {
    std::vector<Mark> found;
    for (std::sregex_iterator at(page().begin(), page().end(), pattern), end; at != end; ++at) {
        found.push_back({std::stod((*at)[1]), (*at)[2]});
    }
    return found;
}

TEST_CASE("a sweep's report: what is drawn stands where its figure is", "[end_to_end]") {
    std::map<std::string, double> accuracy;
    for (const Json& run : sweep_rows("select name, accuracy from runs_of_sweep")) {
        const double value = run.at("accuracy").get<double>();
        accuracy[fmt::format("{}: {}", run.at("name").get<std::string>(), figure(value))] = value;
    }
    const auto check = [&](const std::vector<Mark>& drawn, std::size_t count) {
        REQUIRE(drawn.size() == count);
        const auto value = [&](const Mark& mark) { return accuracy.at(mark.words); };
        const auto [low, high] = std::ranges::minmax_element(drawn, {}, value);
        REQUIRE(value(*high) > value(*low));
        const double slope = (high->y - low->y) / (value(*high) - value(*low));
        CHECK(slope < 0.0);
        for (const Mark& mark : drawn) {
            CAPTURE(mark.words);
            CHECK(mark.y == Approx(low->y + slope * (value(mark) - value(*low))).margin(0.11));
        }
    };
    check(marks(std::regex(
              "<path class=\"run q[0-4]\" data-run=\"[0-9]+\" d=\"[^\"]*L[0-9]+ ([0-9.]+)\"><title>"
              "([^<]*)</title>")),
          8);
    check(marks(std::regex("<circle class=\"dot q[0-4]\" data-run=\"[0-9]+\" cx=\"[0-9.]+\" "
                           "cy=\"([0-9.]+)\" r=\"3.2\"><title>([^<]*)</title>")),
          16);
    // Both legends name every run once, from the lowest to the highest.
    const std::regex legend("</svg>(0\\.[0-9]{4}) to (0\\.[0-9]{4}) \\(([0-9]+)\\)</li>");
    int named = 0;
    std::string least = "1", most = "0";
    for (std::sregex_iterator at(page().begin(), page().end(), legend), end; at != end; ++at) {
        named += std::stoi((*at)[3]);
        least = std::min(least, (*at)[1].str());
        most = std::max(most, (*at)[2].str());
    }
    CHECK(named == 16);
    const Json ends = sweep_rows(
        "select min(accuracy) as low, max(accuracy) as high "
        "from runs_of_sweep");
    CHECK(least == figure(ends[0].at("low")));
    CHECK(most == figure(ends[0].at("high")));
}

TEST_CASE("a sweep's report: who won, and what the selection is worth", "[end_to_end]") {
    const Json designs = sweep_rows(
        "select design, avg(accuracy) as mean, avg(val_accuracy) as val from runs_of_sweep "
        "group by design order by mean desc");
    REQUIRE(designs.size() == 4);
    const std::string best = designs[0].at("design");
    const std::string accuracy = figure(designs[0].at("mean"));
    const auto says = [&](const std::string& text) {
        CAPTURE(text);
        CHECK(page().find(text) != std::string::npos);
    };
    says(
        fmt::format("<b class=\"unbroken\">{}</b><b> has the best test accuracy, {}</b> (mean of 2 "
                    "seeds).",
                    best, accuracy));
    says("The images are synthetic</b>");
    says("guessing");
    says("corrected for the 6 pairs of the experiment");
    const double deviation = std::sqrt(squares().within / 4.0);
    const auto chosen = std::ranges::max_element(
        designs, {}, [](const Json& design) { return design.at("val").get<double>(); });
    if (chosen->at("design") == best) {
        says(fmt::format("Validation chooses {} too, without the test images.", best));
    } else {
        says(
            fmt::format("<b>{}</b> is the best of 4 architectures (8 finished runs) by the test "
                        "accuracy shown here, {}:",
                        best, accuracy));
        constexpr double kExpectedMaximumOfFour = 1.0293753730039641;
        says(fmt::format("seed noise alone would put the best {} above their mean.",
                         figure(kExpectedMaximumOfFour * deviation / std::sqrt(2.0))));
        says(fmt::format("(validation accuracy {})", figure(chosen->at("val"))));
        says(fmt::format("test accuracy of <b>{}</b> is a clean figure",
                         figure(chosen->at("mean"))));
    }
    // Better than how many: Welch's t of two seeds each, p times what Holm's correction makes of
    // it.
    const Json seeds = sweep_rows(
        "select design, max(accuracy) - min(accuracy) as apart from runs_of_sweep group by design");
    // s^2 / n of two values: (a - b)^2 / 2 / 2.
    const auto variance = [&](const Json& design) {
        for (const Json& each : seeds) {
            const double apart = each.at("apart");
            if (each.at("design") == design) return apart * apart / 4.0;
        }
        return 0.0;
    };
    std::vector<std::pair<double, bool>> tests;
    for (std::size_t i = 0; i < 4; ++i)
        for (std::size_t j = i + 1; j < 4; ++j) {
            const double a = variance(designs[i].at("design"));
            const double b = variance(designs[j].at("design"));
            if (a + b == 0.0) continue;
            const double apart =
                designs[i].at("mean").get<double>() - designs[j].at("mean").get<double>();
            tests.emplace_back(
                p_of_t(apart / std::sqrt(a + b), (a + b) * (a + b) / (a * a + b * b)), i == 0);
        }
    std::ranges::sort(tests);
    int better = 0;
    for (std::size_t i = 0; i < tests.size(); ++i) {
        if (tests[i].first * static_cast<double>(tests.size() - i) >= 0.05) break;
        better += tests[i].second ? 1 : 0;
    }
    says(better == 3   ? "It is better than all 3 others."
         : better == 0 ? "It is <b class=\"warn\">not told apart</b> from "
                       : fmt::format("It is better than {} of the 3 others, ", better));
}

}  // namespace
}  // namespace lockstep::tests
