#include "pipeline/store/architecture_verdict.hpp"

#include <set>

#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/sweep_table.hpp"
#include "reports/words/verdict_text.hpp"

namespace lockstep::pipeline {

reports::ExperimentReport comparison_of(const storage::RunDatabase& database,
                                        const std::vector<reports::RunFigures>& shown) {
    std::set<std::string> experiments, known;
    for (const reports::RunFigures& run : shown) {
        experiments.insert(run.run.experiment);
        known.insert(run.run.run);
    }
    std::vector<reports::RunFigures> beside;
    for (const std::string& experiment : experiments) {
        for (const storage::RunRow& row : database.runs(experiment)) {
            if (known.contains(row.run)) continue;
            beside.push_back(reports::run_figures(details_of(database, row.run)));
        }
    }
    return reports::make_comparison(shown, beside);
}

std::string verdict_lines(const reports::ExperimentReport& report) {
    if (report.entries.size() < 2) return {};
    std::string lines;
    for (const auto& sentences :
         reports::verdict_sentences(report, reports::report_sweep(report))) {
        lines += printable(reports::plain_text(sentences)) + '\n';
    }
    return lines;
}

}  // namespace lockstep::pipeline
