#include "pipeline/recording/stored_work.hpp"

#include <utility>

#include "pipeline/recording/run_state.hpp"

namespace lockstep::pipeline {

std::vector<reports::RunWork> works_of(const storage::RunDatabase& database,
                                       const std::set<std::string>& experiments) {
    std::vector<reports::RunWork> works;
    std::set<std::string> known;
    for (const std::string& experiment : experiments) {
        for (reports::RunWork& work : reports::run_works(runs_table_of(database, experiment)))
            if (known.insert(work.run).second) works.push_back(std::move(work));
    }
    return works;
}

}  // namespace lockstep::pipeline
