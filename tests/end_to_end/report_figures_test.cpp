// Every figure of a report's four files is that of the run database, asked in SQL for its tables:
// none of the views and none of the program's own means, bests and sums are used. Of pairs.csv the
// counts of single images are from predictions.h5, and held to the accuracies only.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/report_tables.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// The columns of report.csv but for Wilson's interval and what is set against it, and test_set,
// which is words.
constexpr const char* kRuns = R"(
select r.run, r.name, r.seed, r.state, r.source, r.dataset, r.optimizer, r.batch_size,
    r.parameters, r.flops_per_image, s.epochs, r.epochs as epochs_planned,
    (select epoch from epochs e where e.run = r.run
        order by coalesce(e.val_accuracy, e.accuracy) desc, epoch limit 1) as best_epoch,
    l.accuracy, l.loss, s.best_val_accuracy, l.val_accuracy, s.best_val_loss, l.val_loss,
    (select value from metrics m where m.run = r.run and name = 'test_accuracy') as test_accuracy,
    (select value from metrics m where m.run = r.run and name = 'test_top_5_accuracy')
        as test_top_5_accuracy,
    (select value from metrics m where m.run = r.run and name = 'test_loss') as test_loss,
    (select value from metrics m where m.run = r.run and name = 'test_count') as test_count,
    iif(json_extract(nullif(expected, ''), '$.test_accuracy') is null, null, 'test_accuracy')
        as printed_metric,
    json_extract(nullif(expected, ''), '$.test_accuracy') as printed_value,
    iif(r.validates_on_test_set, 'yes', 'no') as validates_on_test_set,
    iif(r.selected_on_test_set, 'yes', 'no') as selected_on_test_set,
    s.run_seconds, s.training_count / s.training_seconds as images_per_second,
    s.stopped_seconds,
    s.training_seconds - s.exchange_seconds - s.data_seconds as compute_seconds,
    s.exchange_seconds, s.data_seconds, s.evaluation_seconds,
    (select ranks from attempts a where a.run = r.run order by attempt desc limit 1) as ranks,
    r.data_digest, null as same_training_as, r.experiment, nullif(r.parent_run, '') as parent_run,
    (select group_concat(tag, ' ') from run_tags t where t.run = r.run) as tags,
    nullif(r.notes, '') as notes,
    iif(r.name like 'logits-seed%', 'logits', r.name) as architecture,
    s.best_accuracy, s.best_loss
from runs r
join (select run, count(*) as epochs, max(epoch) as last, max(val_accuracy) as best_val_accuracy,
          min(val_loss) as best_val_loss, max(accuracy) as best_accuracy, min(loss) as best_loss,
          sum(epoch_seconds) as run_seconds, sum(training_seconds) as training_seconds,
          sum(training_count) as training_count, sum(exchange_seconds) as exchange_seconds,
          sum(stopped_seconds) as stopped_seconds,
          sum(data_seconds) as data_seconds, sum(evaluation_seconds) as evaluation_seconds
      from epochs group by run) s on s.run = r.run
join epochs l on l.run = r.run and l.epoch = s.last
order by r.run)";

const std::vector<std::string> kNotInCsv{"best_accuracy", "best_loss"};

// experiments/smoke.toml with a figure that its source printed, trained once for all tests.
const fs::path& store() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        std::string smoke = read_text(smoke_file());
        const std::string expect = "parameters = 5386";
        REQUIRE(smoke.find(expect) != std::string::npos);
        smoke.replace(smoke.find(expect), expect.size(), expect + ", test_accuracy = 0.25");
        std::ofstream(folder / "smoke.toml") << smoke;
        const Result result = lockstep({"run", (folder / "smoke.toml").string(), "--store",
                                        (folder / "store").string(), "--ranks", "2", "--quiet"});
        INFO(result.errors);
        REQUIRE(result.exit_code == 0);
        return folder / "store";
    }();
    return path;
}

std::string report(const std::string& file) { return read_text(store() / "reports/smoke" / file); }

Json rows(const std::string& sql) {
    const Result result = lockstep({"query", sql, "--store", store().string(), "--format", "json"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
    return Json::parse(result.output);
}

// Wilson's 95 % interval of `right` of `count`: the roots of (p - q)^2 = z^2 q (1 - q) / n in q.
struct Interval {
    double low = 0.0, high = 0.0;
};
Interval wilson(double accuracy, double count) {
    constexpr double z2 = 1.959963984540054 * 1.959963984540054;
    const double a = 1.0 + z2 / count, b = -2.0 * accuracy - z2 / count, c = accuracy * accuracy;
    const double root = std::sqrt(b * b - 4.0 * a * c);
    return {(-b - root) / (2.0 * a), (-b + root) / (2.0 * a)};
}

Json runs() {
    Json all = rows(kRuns);
    REQUIRE(all.size() == 4);
    for (Json& run : all) {
        const Interval interval = wilson(run.at("test_accuracy"), run.at("test_count"));
        // What was chosen by the test set has no interval that would hold.
        const bool has_interval = run.at("selected_on_test_set") == "no";
        run["test_accuracy_low"] = has_interval ? Json(interval.low) : Json();
        run["test_accuracy_high"] = has_interval ? Json(interval.high) : Json();
        const Json& printed = run.at("printed_value");
        run["printed_against"] = printed.is_null() ? Json() : has_interval ? "of_one_run" : "none";
        run["printed_covered"] =
            printed.is_null() || !has_interval
                ? Json()
                : Json(interval.low <= printed && printed <= interval.high ? "yes" : "no");
    }
    return all;
}

// As a table shows it: four digits, a dash where there is none.
std::string figure(const Json& value) {
    return value.is_null() ? "–" : fmt::format("{:.4f}", value.get<double>());
}
// Of the best epoch, and of the last one where that is another figure.
std::string two(const Json& best, const Json& last) {
    return figure(best) == figure(last) ? figure(best) : figure(best) + " last " + figure(last);
}
std::string interval_of(const Json& run) {
    if (run.at("test_accuracy_low").is_null()) return "–";
    return figure(run.at("test_accuracy_low")) + " to " + figure(run.at("test_accuracy_high"));
}
std::string thousands(double value) {
    std::string digits = fmt::format("{:.0f}", value);
    for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
        digits.insert(static_cast<std::size_t>(place), 1, ',');
    return digits;
}
// Two digits of a duration below a second, one behind the point above it.
void check_seconds(const std::string& text, double seconds) {
    CAPTURE(text, seconds);
    CHECK(text.ends_with(" s"));
    CHECK(std::stod(text) == Approx(seconds).epsilon(0.06));
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void check_csv_field(const std::string& field, const Json& value) {
    if (value.is_null()) {
        CHECK(field.empty());
    } else if (value.is_string()) {
        CHECK(field == value.get<std::string>());
    } else {
        CHECK(std::stod(field) == Approx(value.get<double>()).epsilon(1e-12));
    }
}

TEST_CASE("report.csv: every column of every run", "[end_to_end]") {
    const ReportTable table = csv_table(report("report.csv"));
    const Json expected = runs();
    REQUIRE(table.rows.size() == expected.size());
    const Json settings = rows("select run, key, value from v_settings");
    const Json keys = rows("select distinct key from v_settings");
    // Also test_set.
    CHECK(table.columns.size() == expected[0].size() - kNotInCsv.size() + 1 + keys.size());
    for (const Json& each : settings) {
        CAPTURE(each);
        check_csv_field(table.at(each.at("run"), each.at("key")), each.at("value"));
    }
    for (const Json& run : expected) {
        const bool has_three = run.at("name") == "three-classes";
        CHECK(table.at(run.at("run"), "test_set") ==
              (has_three ? "synthetic, 3 classes (airplane, automobile, bird), 15 test images"
                         : "synthetic, 10 classes, 50 test images"));
        for (const std::string& column : table.columns) {
            if (column == "test_set" || !run.contains(column)) continue;
            CAPTURE(run.at("run"), column);
            check_csv_field(table.at(run.at("run"), column), run.at(column));
        }
    }
}

// Two-sided, exact: the smaller side of `count` fair tosses, doubled.
double mcnemar(double fewer, double count) {
    double ways = 1.0, sum = 0.0;
    for (int i = 0; i <= fewer; ++i) {
        sum += ways;
        ways *= (count - i) / (i + 1);
    }
    return std::min(1.0, 2.0 * sum / std::pow(2.0, count));
}

// "three-classes" has a test set of its own, and the other two share one seed.
TEST_CASE("pairs.csv: the pair on one test set", "[end_to_end]") {
    const ReportTable table = csv_table(report("pairs.csv"));
    REQUIRE(table.rows.size() == 1);
    const std::string first = table.rows[0].at(0);
    const auto field = [&](const char* column) { return table.at(first, column); };
    const Json sums = rows(fmt::format(
        "select sum(iif(r.name = '{0}', 1, -1) * m.value) as difference, count(*) as runs, "
        "max(n.value) as images from runs r join metrics m on m.run = r.run "
        "join metrics n on n.run = r.run where m.name = 'test_accuracy' "
        "and n.name = 'test_count' and r.seed = 1 and r.name in "
        "('batch-normalized', 'logits-seed1') and '{0}' in ('batch-normalized', 'logits-seed1')",
        first == "logits" ? "logits-seed1" : first));
    REQUIRE(sums[0].at("runs") == 2);
    CHECK(field("second") == (first == "logits" ? "batch-normalized" : "logits"));
    CHECK(field("first_seeds") == (first == "logits" ? "2" : "1"));
    CHECK(field("second_seeds") == (first == "logits" ? "1" : "2"));
    // Of the means over all seeds; McNemar's counts are of the shared one.
    const Json means = rows(
        "select avg(iif(name like 'logits%', test_accuracy, null)) - "
        "avg(iif(name like 'logits%', null, test_accuracy)) as above from v_runs "
        "where name = 'batch-normalized' or name like 'logits%'");
    const double above = means[0].at("above");
    CHECK(std::stod(field("difference")) ==
          Approx(first == "logits" ? above : -above).margin(1e-12));
    const double difference = sums[0].at("difference");
    CHECK(field("difference_low").empty());  // of one seed
    CHECK(field("difference_high").empty());
    const double only_first = std::stod(field("right_only_first"));
    const double only_second = std::stod(field("right_only_second"));
    CHECK(only_first - only_second ==
          Approx(difference * sums[0].at("images").get<double>()).margin(1e-9));
    CHECK(field("test") == "McNemar, one run each");
    const double p = mcnemar(std::min(only_first, only_second), only_first + only_second);
    CHECK(std::stod(field("p")) == Approx(p).epsilon(1e-9));
    CHECK(field("p_after_holm").empty());  // one seed decides nothing
    CHECK(field("verdict") == "not tested: batch-normalized has one seed");
    CHECK(field("selected_on_test_set").empty());

    const auto tables = titled(markdown_tables(report("report.md")), "Pairs");
    REQUIRE(tables.size() == 1);
    CHECK(tables[0].rows.size() == 1);
}

// Runs that stand for an architecture alone: all but the two seeds of "logits".
std::vector<Json> single_runs() {
    std::vector<Json> singles;
    for (const Json& run : runs())
        if (run.at("name") == "batch-normalized" || run.at("name") == "three-classes")
            singles.push_back(run);
    REQUIRE(singles.size() == 2);
    return singles;
}
// The mean over the two seeds of "logits".
double mean_over_seeds(const std::string& column) {
    double sum = 0.0;
    int seeds = 0;
    for (const Json& run : runs()) {
        if (!run.at("name").get<std::string>().starts_with("logits-seed")) continue;
        sum += run.at(column).get<double>();
        ++seeds;
    }
    REQUIRE(seeds == 2);
    return sum / 2.0;
}

TEST_CASE("report.md: the leaderboard and the runs", "[end_to_end]") {
    const auto tables = markdown_tables(report("report.md"));
    const auto leaderboard = titled(tables, "Leaderboard"), states = titled(tables, "Runs");
    REQUIRE(leaderboard.size() == 1);
    REQUIRE(states.size() == 1);
    CHECK(leaderboard[0].rows.size() == 3);
    for (const Json& run : single_runs()) {
        const auto cell = [&](const char* column) {
            return leaderboard[0].at(run.at("name"), column);
        };
        CAPTURE(run.at("name"));
        CHECK(cell("state") == "finished");
        CHECK(cell("parameters") == thousands(run.at("parameters")));
        CHECK(cell("FLOPs per image") == thousands(run.at("flops_per_image")));
        CHECK(cell("seeds") == "1");
        CHECK(cell("test accuracy") == figure(run.at("test_accuracy")));
        CHECK(cell("95 % interval") == interval_of(run));
        CHECK(cell("test loss") == figure(run.at("test_loss")));
        CHECK(cell("best val. accuracy") == figure(run.at("best_val_accuracy")));
        CHECK(cell("epochs") == text_of(run.at("epochs")));
        check_seconds(cell("time"), run.at("run_seconds"));
        CHECK(cell("images/s") == thousands(run.at("images_per_second")));
        CHECK(cell("printed") == (run.at("printed_value").is_null()
                                      ? "–"
                                      : figure(run.at("printed_value")) + " test_accuracy"));
        CHECK(cell("selected on") ==
              (run.at("selected_on_test_set") == "yes" ? "the test set" : ""));
    }
    CHECK(leaderboard[0].at("logits", "seeds") == "2");
    CHECK(leaderboard[0].at("logits", "test accuracy") == figure(mean_over_seeds("test_accuracy")));
    CHECK(leaderboard[0].at("logits", "test loss") == figure(mean_over_seeds("test_loss")));

    CHECK(states[0].rows.size() == 4);
    for (const Json& run : runs()) {
        const auto cell = [&](const char* column) { return states[0].at(run.at("run"), column); };
        CHECK(cell("state") == text_of(run.at("state")));
        CHECK(cell("epochs") ==
              text_of(run.at("epochs")) + " of " + text_of(run.at("epochs_planned")));
        CHECK(cell("test accuracy") == figure(run.at("test_accuracy")));
        check_seconds(cell("time"), run.at("run_seconds"));
        CHECK(cell("cause").empty());
    }
}

TEST_CASE("report.html: results, and training beside validation", "[end_to_end]") {
    const auto tables = html_tables(report("report.html"));
    const auto results = titled(tables, "Results"), training = titled(tables, "Training and val");
    REQUIRE(results.size() == 1);
    REQUIRE(training.size() == 1);
    for (const Json& run : single_runs()) {
        const std::string name = run.at("name");
        CAPTURE(name);
        const bool is_selected = run.at("selected_on_test_set") == "yes";
        const double classes = name == "three-classes" ? 3.0 : 10.0;
        const bool is_guess =
            wilson(run.at("test_accuracy"), run.at("test_count")).low <= 1.0 / classes;
        const std::string row = name + " smoke" + (is_selected ? " selected on the test set" : "") +
                                (is_guess ? " no better than guessing" : "");
        const auto result = [&](const char* column) { return results[0].at(row, column); };
        CHECK(result("parameters") == thousands(run.at("parameters")));
        CHECK(result("FLOPs/image") == thousands(run.at("flops_per_image")));
        CHECK(result("seeds") == "1");
        const std::string accuracy = figure(run.at("test_accuracy"));
        CHECK(result("test accuracy") ==
              (is_selected ? accuracy : fmt::format("{} {}", accuracy, interval_of(run))));
        CHECK(result("test loss") == figure(run.at("test_loss")));
        CHECK(result("best val. accuracy") == figure(run.at("best_val_accuracy")));
        CHECK(result("printed") == (run.at("printed_value").is_null()
                                        ? "–"
                                        : figure(run.at("printed_value")) + " test accuracy"));
        const auto trained = [&](const char* column) { return training[0].at(name, column); };
        const auto best_and_last = [&](const char* best, const char* last) {
            return two(run.at(best), run.at(last));
        };
        CHECK(trained("accuracy") == best_and_last("best_accuracy", "accuracy"));
        CHECK(trained("loss") == best_and_last("best_loss", "loss"));
        CHECK(trained("val. accuracy") == best_and_last("best_val_accuracy", "val_accuracy"));
        CHECK(trained("val. loss") == best_and_last("best_val_loss", "val_loss"));
        CHECK(trained("epochs") == text_of(run.at("epochs")));
        check_seconds(trained("time"), run.at("run_seconds"));
        CHECK(trained("images/s") == thousands(run.at("images_per_second")));
        CHECK(trained("ranks") == "2");
    }
    CHECK(training[0].at("logits", "accuracy") ==
          two(mean_over_seeds("best_accuracy"), mean_over_seeds("accuracy")));
}

TEST_CASE("report.html: each run's epochs and files", "[end_to_end]") {
    const auto tables = html_tables(report("report.html"));
    const auto epochs = titled(tables, "Epochs"), files = titled(tables, "Files in the store");
    // The names' order is that of the experiment file.
    const Json order = rows("select run from runs order by run");
    REQUIRE(order.size() == 4);
    REQUIRE(epochs.size() == order.size());
    REQUIRE(files.size() == order.size());
    for (std::size_t i = 0; i < order.size(); ++i) {
        const std::string run = order[i].at("run");
        CAPTURE(run);
        const Json trained = rows("select * from epochs where run = '" + run + "'");
        CHECK(epochs[i].rows.size() == trained.size());
        for (const Json& epoch : trained) {
            const auto cell = [&](const char* column) {
                return epochs[i].at(text_of(epoch.at("epoch")), column);
            };
            for (const char* column : {"loss", "accuracy", "val_loss", "val_accuracy"})
                CHECK(cell(column) == figure(epoch.at(column)));
            CHECK(std::stod(cell("learning rate")) ==
                  Approx(epoch.at("learning_rate").get<double>()).epsilon(1e-3));
            CHECK(std::stod(cell("seconds")) ==
                  Approx(epoch.at("epoch_seconds").get<double>()).epsilon(6e-3));
            CHECK(std::stod(cell("images/s")) ==
                  Approx(epoch.at("images_per_second").get<double>()).margin(0.5));
        }
        const Json kept = rows("select * from artifacts where run = '" + run + "'");
        CHECK(files[i].rows.size() == kept.size());
        for (const Json& file : kept) {
            const auto cell = [&](const char* column) {
                return files[i].at(file.at("kind"), column);
            };
            CHECK(cell("path") == text_of(file.at("path")));
            CHECK(cell("bytes") == thousands(file.at("bytes")));
            CHECK(cell("SHA-256") == text_of(file.at("sha256")));
        }
    }
}

}  // namespace
}  // namespace lockstep::tests
