#pragma once

// The whole report of an experiment as plain values; html_report, markdown_report and csv_report
// print it. Bounded: of a thousand runs every one is in the CSV, the leading ones in the tables,
// and the first few in full.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_comparison.hpp"
#include "reports/figures/prediction_figures.hpp"
#include "reports/figures/run_figures.hpp"
#include "storage/records/records.hpp"
#include "storage/weights/predictions_file.hpp"

namespace lockstep::reports {

inline constexpr std::size_t kDetailedRuns = 20;           // shown in full
inline constexpr std::size_t kComparedArchitectures = 12;  // in charts and in pairs: 66 pairs
inline constexpr std::size_t kTableRows = 100;             // of the leaderboard

inline constexpr std::int64_t kStepPoints = 150;  // of a chart of steps

// One line of Keras' model.summary().
struct SummaryLine {
    std::string layer;         // its name
    std::string class_name;    // Conv2D
    std::string output_shape;  // (None, 30, 30, 10)
    std::optional<std::int64_t> parameters{};
    std::optional<std::int64_t> flops{};  // forward pass of one image
};

// The stored images of one run's predictions, shown once for all runs that have the same ones.
struct ImageSheet {
    int height = 0;                    // pixels of one image
    int width = 0;                     // pixels of one image
    std::vector<std::uint8_t> images;  // [images, height, width, 3]
    std::size_t count() const;
};

struct DetailedRun {
    std::size_t run = 0;  // its place in ExperimentReport::runs
    std::vector<SummaryLine> summary{};
    std::optional<PredictionFigures> predictions{};
    ImageSheet sheet{};
    // Of a run with augmentation: of several runs with one picture the first has it.
    storage::Picture augmentation{};
    std::string augmentation_of{};  // the name of that first run; "" where it is this one
    std::optional<storage::NamedArray> filters{};  // of the first convolution, [kh, kw, in, out]
    std::vector<storage::StepStretch> steps{};     // where record_steps recorded them
    std::vector<std::string> problems{};           // files that could not be read
};

// What a report is of, beyond its first experiment: docs/report.md.
struct ReportScope {
    std::vector<storage::ExperimentRow> further{};  // experiments
    std::string where{};                            // the condition for its runs; empty: all
    std::size_t all_runs = 0;                       // of all its experiments
};

struct ExperimentReport {
    storage::ExperimentRow experiment;
    ReportScope scope{};
    std::string written_utc;
    std::string lockstep_version;
    std::vector<RunFigures> runs;  // all, oldest first
    std::vector<ArchitectureFigures> entries;
    std::vector<PairTest> tests;        // of all entries
    std::vector<PairComparison> pairs;  // of the first kComparedArchitectures entries
    std::vector<DetailedRun> detailed;  // in the order of the entries
};

// Where a report gets its rows and files from. Each may throw StorageError; only that of details()
// ends the report, the others become a line in it.
class ReportSource {
public:
    virtual ~ReportSource() = default;
    virtual storage::RunDetails details(const std::string& run) const = 0;
    virtual std::optional<storage::Predictions> predictions(const RunFigures& run) const = 0;
    // The kernel of the first convolution of the final weights.
    virtual std::optional<storage::NamedArray> filters(const RunFigures& run) const = 0;
    virtual std::vector<SummaryLine> summary(const RunFigures& run) const = 0;
    // At most kStepPoints.
    virtual std::vector<storage::StepStretch> steps(const RunFigures& run) const = 0;
};

// Which runs, in the order they were made.
struct ReportedRuns {
    std::vector<std::string> shown{};
    // The other runs of the experiments in whose lists these stand: no figure of theirs is shown,
    // and yet their pairs are corrected for (pair_tests.hpp).
    std::vector<std::string> beside{};
};

// The caller adds written_utc and lockstep_version.
ExperimentReport make_report(const storage::ExperimentRow& experiment, const ReportedRuns& runs,
                             const ReportSource& source);

// Only runs, entries and tests: what decides who won. As ReportedRuns; no run is in both.
ExperimentReport make_comparison(const std::vector<RunFigures>& shown,
                                 const std::vector<RunFigures>& beside);

}  // namespace lockstep::reports
