#pragma once

// The store as the source of a report.

#include <optional>
#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// Both must outlive the source. A file of another size than its row tells is refused.
class StoredReportSource : public reports::ReportSource {
public:
    StoredReportSource(const storage::RunStore& store, const storage::RunDatabase& database)
        : store_(store), database_(database) {}

    storage::RunDetails details(const std::string& run) const override;
    std::optional<storage::Predictions> predictions(const reports::RunFigures& run) const override;
    std::optional<storage::NamedArray> filters(const reports::RunFigures& run) const override;
    // From the stored configuration, shapes inferred anew; without parameters and operations where
    // that configuration cannot be read any more.
    std::vector<reports::SummaryLine> summary(const reports::RunFigures& run) const override;
    std::vector<storage::StepStretch> steps(const reports::RunFigures& run) const override;

private:
    const storage::RunStore& store_;
    const storage::RunDatabase& database_;
};

}  // namespace lockstep::pipeline
