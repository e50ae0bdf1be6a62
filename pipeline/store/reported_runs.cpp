#include "pipeline/store/reported_runs.hpp"

#include <set>
#include <utility>

#include "reports/figures/design.hpp"

namespace lockstep::pipeline {
namespace {

using Architecture = std::pair<std::string, std::string>;

Architecture architecture_of(const storage::RunRow& row) {
    return {reports::design_name_of(row), reports::design_of(row).settings};
}

std::set<Architecture> architectures_of(const storage::RunDatabase& database,
                                        const std::vector<std::string>& runs) {
    std::set<Architecture> architectures;
    for (const std::string& run : runs) {
        if (const auto row = database.find_run(run)) architectures.insert(architecture_of(*row));
    }
    return architectures;
}

}  // namespace

reports::ReportedRuns reported_runs(const storage::RunDatabase& database,
                                    std::vector<std::string> shown,
                                    const std::vector<std::string>& asked) {
    const std::set<Architecture> architectures = architectures_of(database, asked);
    std::set<std::string> known(shown.begin(), shown.end());
    std::set<std::string> experiments;
    reports::ReportedRuns runs{.shown = std::move(shown)};
    // Another seed of theirs may stand in the list of one more experiment.
    std::vector<std::string> unread = asked;
    while (!unread.empty()) {
        const std::string run = std::move(unread.back());
        unread.pop_back();
        for (const std::string& experiment : database.experiments_of(run)) {
            if (!experiments.insert(experiment).second) continue;
            for (const storage::RunRow& row : database.runs(experiment)) {
                if (!known.insert(row.run).second) continue;
                if (architectures.contains(architecture_of(row))) unread.push_back(row.run);
                runs.beside.push_back(row.run);
            }
        }
    }
    return runs;
}

}  // namespace lockstep::pipeline
