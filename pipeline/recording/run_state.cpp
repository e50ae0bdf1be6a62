#include "pipeline/recording/run_state.hpp"

#include <map>
#include <variant>

#include "pipeline/recording/process_identity.hpp"
#include "reports/tables/table_columns.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunState;

// With the states of its column `state` as they are; each row is of the run in its column `run`.
void correct_states(const storage::RunDatabase& database, storage::Table& table) {
    const std::size_t run = reports::place_of(table, "run");
    const std::size_t state = reports::place_of(table, "state");
    const storage::Cell running{std::string(storage::to_string(RunState::running))};
    std::map<std::string, storage::Cell> known;  // by run
    for (auto& row : table.rows) {
        if (row.at(state) != running) continue;
        const auto& id = std::get<std::string>(row.at(run));
        const auto [found, is_new] = known.try_emplace(id);
        if (is_new)
            found->second =
                std::string(storage::to_string(state_of(RunState::running, database.attempts(id))));
        row.at(state) = found->second;
    }
}

// The table and the states are of one moment.
template <class Read>
storage::Table with_true_states(const storage::RunDatabase& database, Read read) {
    storage::Table table;
    database.read_at_once([&] {
        table = read();
        correct_states(database, table);
    });
    return table;
}

}  // namespace

RunState state_of(RunState stored, const std::vector<storage::AttemptRow>& attempts) {
    const bool is_dead =
        stored == RunState::running && (attempts.empty() || !is_alive(attempts.back()));
    return is_dead ? RunState::interrupted : stored;
}

storage::RunDetails details_of(const storage::RunDatabase& database, const std::string& run) {
    storage::RunDetails details = database.run_details(run);
    details.run.state = state_of(details.run.state, details.attempts);
    return details;
}

storage::Table runs_table_of(const storage::RunDatabase& database, std::string_view experiment) {
    return with_true_states(database, [&] { return database.runs_table(experiment); });
}

storage::Table epochs_table_of(const storage::RunDatabase& database, std::string_view run) {
    return with_true_states(database, [&] { return database.epochs_table(run); });
}

}  // namespace lockstep::pipeline
