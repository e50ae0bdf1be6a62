#include "pipeline/verbs/rm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <string_view>
#include <variant>

#include "pipeline/care/run_holder.hpp"
#include "pipeline/care/run_removal.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/store/row_options.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::array<std::string_view, 2> kColumns{"run", "state"};

// Of the whole store, or of the experiment, as `ls` has them and in its order.
storage::Table rows_where(const storage::RunDatabase& database, const RmOptions& options) {
    RowOptions rows;
    rows.where = options.where;
    return chosen_rows(runs_table_of(database, options.experiment), "v_runs", rows, kColumns);
}

std::vector<ChosenRun> chosen_runs(const storage::RunDatabase& database, const RmOptions& options) {
    const bool says_nothing = options.runs.empty() && options.experiment.empty() &&
                              !options.is_failed_only && options.where.empty();
    if (says_nothing) {
        throw UsageError("which runs? name them, or say --experiment, --failed or --where");
    }
    require_experiment(database, options.experiment);
    const auto named = runs_to_change(database, options.runs);
    const auto is_named = [&](const std::string& id) {
        return options.runs.empty() || std::ranges::find(named, id) != named.end();
    };
    std::vector<ChosenRun> chosen;
    for (const auto& row : rows_where(database, options).rows) {
        const auto& id = std::get<std::string>(row[0]);
        auto run = database.find_run(id);
        if (!run || !is_named(id)) continue;
        run->state = storage::run_state_from(std::get<std::string>(row[1]));
        // What another experiment trained is in its list, too.
        if (!options.experiment.empty() && run->experiment != options.experiment) continue;
        if (options.is_failed_only && run->state != storage::RunState::failed) continue;
        chosen.push_back({std::move(*run), newest_attempt(database, id)});
    }
    return chosen;
}

storage::Table table_of(const storage::RunStore& store, const std::vector<ChosenRun>& runs) {
    storage::Table table{{"run", "experiment", "state", "epochs_planned", "bytes"}, {}};
    for (const auto& [run, attempt] : runs) {
        table.rows.push_back({run.run, run.experiment, std::string(storage::to_string(run.state)),
                              std::int64_t{run.epochs}, bytes_of(store.run_files(run.run).folder)});
    }
    return table;
}

// Refused before anything is asked, so that nobody agrees to what cannot be done.
void require_idle(const storage::RunStore& store, const storage::RunDatabase& database,
                  const std::vector<ChosenRun>& runs) {
    for (const ChosenRun& each : runs) require_not_held(store, database, each.run.run);
}

}  // namespace

int rm(const RmOptions& options) {
    const auto store = storage::RunStore::open(options.store);
    std::vector<ChosenRun> runs;
    std::size_t count = 0;
    {
        const storage::RunDatabase database = open_for_reading(options.store);
        // Of one moment: an attempt that begins after a run was judged is a newer one.
        database.read_at_once([&] { runs = chosen_runs(database, options); });
        count = database.runs(options.experiment).size();
        require_idle(store, database, runs);
    }
    if (runs.empty() && shows_to_people(options.format)) {
        tell_no_rows(count);
        return kExitSuccess;
    }
    print_fitting(table_of(store, runs), options.format, {.may_drop = false});
    if (runs.empty()) return kExitSuccess;
    const std::string counted = fmt::format("{} run{}", runs.size(), runs.size() == 1 ? "" : "s");
    if (!has_consent(options.consent, fmt::format("Remove {} for ever?", counted))) {
        return kExitSuccess;
    }
    storage::RunDatabase database(store.database(), storage::DatabaseAccess::read_write);
    std::int64_t bytes = 0;
    for (const ChosenRun& each : runs) bytes += remove_stored_run(store, database, each);
    tell_failure({kExitSuccess, fmt::format("{} removed, {} bytes; `lockstep gc` gives back what "
                                            "the database no longer needs",
                                            counted, bytes)});
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
