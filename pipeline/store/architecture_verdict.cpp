#include "pipeline/store/architecture_verdict.hpp"

#include <set>

#include "pipeline/progress/standard_output.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/fitting_table.hpp"
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

std::string terminal_lines(const std::string& line) {
    const auto width = output_width();
    if (!width) return line + '\n';
    std::string text;
    for (const std::string& part : reports::broken_lines(line, *width)) text += part + '\n';
    return text;
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
