#include "pipeline/verbs/ls.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/exit_codes.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/store_reading.hpp"
#include "reports/table_text.hpp"

namespace lockstep::pipeline {
namespace {

void check_experiment(const storage::RunDatabase& database, const std::string& name) {
    const auto rows = database.experiments();
    const bool is_known =
        std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.name == name; });
    if (name.empty() || is_known) return;
    throw Failure(
        kExitMissingInput,
        fmt::format("the store has no experiment \"{}\"; `lockstep ls` lists all runs", name));
}

}  // namespace

int ls(const LsOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    check_experiment(database, options.experiment);
    print(reports::table_text(database.runs_table(options.experiment), options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
