#pragma once

// Rows of imagined runs, for the tests of reports.

#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// A finished run "<name>-<seed as 8 digits>" of ten epochs, its effective configuration included.
storage::RunDetails finished_run(const std::string& name, std::int64_t seed, double test_accuracy);

// The run with one more setting: with_setting(run, "train.optimizer.momentum", "0.9").
storage::RunDetails with_setting(storage::RunDetails run, const std::string& key,
                                 const std::string& value);

// One that is planned and has done nothing.
storage::RunDetails queued_run(const std::string& name);

// Gives back what it was given.
class RowsSource : public ReportSource {
public:
    explicit RowsSource(std::vector<storage::RunDetails> rows) : rows_(std::move(rows)) {}

    std::vector<std::string> ids() const;
    // Predictions of a run whose first `right` of `samples` images are right.
    void put_predictions(const std::string& run, std::size_t right, std::size_t samples);
    void put_predictions(const std::string& run, storage::Predictions predictions);

    storage::RunDetails details(const std::string& run) const override;
    std::optional<storage::Predictions> predictions(const RunFigures& run) const override;
    std::optional<storage::NamedArray> filters(const RunFigures& run) const override;
    std::vector<SummaryLine> summary(const RunFigures& run) const override;
    std::vector<storage::StepStretch> steps(const RunFigures& run) const override;

private:
    std::vector<storage::RunDetails> rows_;
    std::vector<std::pair<std::string, storage::Predictions>> predictions_;
};

ExperimentReport report_of(const RowsSource& source, const std::string& title = "A title");

}  // namespace lockstep::reports
