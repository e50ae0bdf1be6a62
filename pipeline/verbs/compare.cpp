#include "pipeline/verbs/compare.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "pipeline/exit_codes.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/store_reading.hpp"
#include "reports/comparison.hpp"
#include "reports/table_text.hpp"

namespace lockstep::pipeline {
namespace {

std::vector<std::string> ids_of(const std::vector<storage::RunRow>& rows) {
    std::vector<std::string> ids;
    for (const storage::RunRow& row : rows) ids.push_back(row.run);
    return ids;
}

// A name may stand for several runs, of other seeds or settings: all of them are compared.
std::vector<std::string> selected(const storage::RunDatabase& database,
                                  const CompareOptions& options) {
    if (options.runs.empty()) return ids_of(database.runs(options.experiment));
    std::vector<std::string> ids;
    for (const std::string& text : options.runs) {
        const auto matches = ids_of(database.match_runs(text));
        if (matches.empty()) {
            throw Failure(kExitMissingInput, fmt::format("the store has no run \"{}\"; `lockstep "
                                                         "ls` lists them",
                                                         text));
        }
        ids.insert(ids.end(), matches.begin(), matches.end());
    }
    return ids;
}

}  // namespace

int compare(const CompareOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const auto facts = facts_of(database, selected(database, options));
    print(reports::table_text(reports::comparison_table(reports::compare(facts)), options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
