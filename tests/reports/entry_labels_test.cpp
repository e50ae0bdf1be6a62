#include "reports/words/entry_labels.hpp"

#include "reports/tables/sweep_table.hpp"
#include "tests/reports/report_rows.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

EntryLabels labels(std::vector<storage::RunDetails> rows) {
    const ExperimentReport report = report_of(RowsSource(std::move(rows)));
    return entry_labels(report, report_sweep(report));
}

storage::RunDetails swept(const std::string& name, double accuracy, const std::string& rate,
                          const std::string& momentum) {
    return with_setting(
        with_setting(finished_run(name, 1, accuracy), "train.optimizer.learning_rate", rate),
        "train.optimizer.momentum", momentum);
}

const std::string kLong = "small-learning_rate-momentum";

TEST_CASE("labels: short names stay", "[reports]") {
    const EntryLabels found = labels({finished_run("a-1", 1, 0.9), finished_run("a-2", 1, 0.8)});
    CHECK(found.labels == std::vector<std::string>{"a-1", "a-2"});
    CHECK(found.note.empty());
    CHECK(labels({finished_run(kLong, 1, 0.9)}).labels == std::vector{kLong});
    CHECK(labels({}).labels.empty());
}

TEST_CASE("labels: a sweep's long names are told by their values", "[reports]") {
    const EntryLabels found =
        labels({swept(kLong + "1", 0.9, "0.1", "0.5"), swept(kLong + "2", 0.8, "0.1", "0.9"),
                swept(kLong + "3", 0.5, "0.2", "0.5"), swept(kLong + "4", 0.4, "0.2", "0.9")});
    CHECK(found.labels ==
          std::vector<std::string>{"0.1 · 0.5", "0.1 · 0.9", "0.2 · 0.5", "0.2 · 0.9"});
    CHECK(found.note == "Architectures are told by learning_rate · momentum.");
}

TEST_CASE("labels: else without what all long names begin with", "[reports]") {
    const EntryLabels found = labels({finished_run("tutorial-network_of-the-first", 1, 0.9),
                                      finished_run("tutorial-network_of-the-fifth", 1, 0.8)});
    CHECK(found.labels == std::vector<std::string>{"first", "fifth"});
    CHECK(found.note == "All names begin with “tutorial-network_of-the-”.");
    // Nothing in common, or only half of a word.
    const auto names = std::vector<std::string>{"networkofthebeginning", "networkofthefirstend"};
    CHECK(labels({finished_run(names[0], 1, 0.9), finished_run(names[1], 1, 0.8)}).labels == names);
}

}  // namespace
}  // namespace lockstep::reports
