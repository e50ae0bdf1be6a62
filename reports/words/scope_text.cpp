#include "reports/words/scope_text.hpp"

#include <fmt/format.h>

namespace lockstep::reports {
namespace {

std::string names_of(const ExperimentReport& report) {
    std::string names;
    for (const storage::ExperimentRow& row : experiments_of(report)) {
        names += (names.empty() ? "" : ", ") + row.name;
    }
    return names;
}

}  // namespace

std::vector<storage::ExperimentRow> experiments_of(const ExperimentReport& report) {
    std::vector<storage::ExperimentRow> rows{report.experiment};
    rows.insert(rows.end(), report.scope.further.begin(), report.scope.further.end());
    return rows;
}

std::string title_text(const ExperimentReport& report) {
    if (!report.scope.further.empty()) return names_of(report);
    return report.experiment.title.empty() ? report.experiment.name : report.experiment.title;
}

std::string scope_text(const ExperimentReport& report) {
    const bool is_one = report.scope.further.empty();
    std::string text = (is_one ? "Experiment " : "Experiments ") + names_of(report);
    if (!report.scope.where.empty()) {
        text += fmt::format(": {} of {} {} runs, where {}", report.runs.size(),
                            is_one ? "its" : "their", report.scope.all_runs, report.scope.where);
    }
    return text + '.';
}

}  // namespace lockstep::reports
