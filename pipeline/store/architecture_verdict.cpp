#include "pipeline/store/architecture_verdict.hpp"

#include <utility>

#include "pipeline/progress/terminal_lines.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/reported_runs.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/sweep_table.hpp"
#include "reports/words/verdict_text.hpp"

namespace lockstep::pipeline {

reports::ExperimentReport comparison_of(const storage::RunDatabase& database,
                                        const std::vector<reports::RunFigures>& shown,
                                        const std::vector<std::string>& asked) {
    std::vector<std::string> ids;
    for (const reports::RunFigures& run : shown) ids.push_back(run.run.run);
    const reports::ReportedRuns runs = reported_runs(database, std::move(ids), asked);
    return reports::make_comparison(shown, figures_of(database, runs.beside));
}

std::string verdict_lines(const reports::ExperimentReport& report) {
    if (report.entries.size() < 2) return {};
    std::string lines;
    for (const auto& sentences :
         reports::verdict_sentences(report, reports::report_sweep(report))) {
        lines += terminal_lines(printable(reports::plain_text(sentences)));
    }
    return lines;
}

}  // namespace lockstep::pipeline
