#include "pipeline/store/store_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <variant>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

Failure no_such_run(std::string_view text) {
    return {kExitMissingInput,
            fmt::format("the store has no run \"{}\"; `lockstep ls` lists them", text)};
}

storage::RunState state_of(storage::RunState state,
                           const std::vector<storage::AttemptRow>& attempts) {
    const bool is_dead =
        state == storage::RunState::running && (attempts.empty() || !is_alive(attempts.back()));
    return is_dead ? storage::RunState::interrupted : state;
}

}  // namespace

storage::RunDatabase open_for_reading(const std::filesystem::path& store) {
    storage::RunDatabase database = open_again_for_reading(store);
    if (const std::string text = newer_version_warning(database); !text.empty())
        tell_failure({kExitSuccess, "warning: " + text});
    return database;
}

std::string newer_version_warning(const storage::RunDatabase& database) {
    const auto version = database.newer_version();
    if (!version) return "";
    return fmt::format(
        "a newer Lockstep wrote this store (its version is {}, this one knows {}): what is new in "
        "it is not shown, and nothing can be written to it from here",
        *version, storage::kSchemaVersion);
}

storage::RunDatabase open_again_for_reading(const std::filesystem::path& store,
                                            std::chrono::milliseconds wait) {
    return storage::RunDatabase(storage::RunStore::open(store).database(),
                                storage::DatabaseAccess::read_only, wait);
}

storage::RunRow the_run(const storage::RunDatabase& database, std::string_view text) {
    const std::vector<storage::RunRow> matches = database.match_runs(text);
    if (matches.empty()) throw no_such_run(text);
    if (matches.size() == 1) return matches.front();
    constexpr std::size_t kMost = 8;
    std::string ids;
    for (std::size_t i = 0; i < std::min(matches.size(), kMost); ++i)
        ids += fmt::format("{}{} ({}, {})", ids.empty() ? "" : ", ", matches[i].run,
                           matches[i].experiment, storage::to_string(matches[i].state));
    if (matches.size() > kMost)
        ids += fmt::format(" and {} more; `lockstep ls --columns run,name,seed` lists them",
                           matches.size() - kMost);
    throw UsageError(fmt::format("\"{}\" may mean several runs: {}", text, ids));
}

std::vector<std::string> matching_runs(const storage::RunDatabase& database,
                                       const std::vector<std::string>& texts) {
    std::vector<std::string> ids;
    for (const std::string& text : texts) {
        const std::vector<storage::RunRow> matches = database.match_runs(text);
        if (matches.empty()) throw no_such_run(text);
        for (const storage::RunRow& row : matches) {
            if (std::find(ids.begin(), ids.end(), row.run) == ids.end()) ids.push_back(row.run);
        }
    }
    return ids;
}

void require_experiment(const storage::RunDatabase& database, const std::string& experiment) {
    const auto rows = database.experiments();
    const bool is_known = std::any_of(rows.begin(), rows.end(),
                                      [&](const auto& row) { return row.name == experiment; });
    if (experiment.empty() || is_known) return;
    std::string names;
    for (const auto& row : rows) names += (names.empty() ? "" : ", ") + row.name;
    throw Failure(kExitMissingInput,
                  fmt::format("the store has no experiment \"{}\"; {}", experiment,
                              names.empty() ? "it has none" : "it has " + names));
}

storage::RunDetails details_of(const storage::RunDatabase& database, const std::string& run) {
    storage::RunDetails details = database.run_details(run);
    details.run.state = state_of(details.run.state, details.attempts);
    return details;
}

storage::Table runs_table_of(const storage::RunDatabase& database, const std::string& experiment) {
    storage::Table table;
    database.read_at_once([&] {
        table = database.runs_table(experiment);
        const std::size_t run = place_of(table, "run");
        const std::size_t state = place_of(table, "state");
        const std::string running(storage::to_string(storage::RunState::running));
        for (auto& row : table.rows) {
            if (row.at(state) != storage::Cell(running)) continue;
            const auto attempts = database.attempts(std::get<std::string>(row.at(run)));
            row.at(state) =
                std::string(storage::to_string(state_of(storage::RunState::running, attempts)));
        }
    });
    return table;
}

std::size_t place_of(const storage::Table& table, std::string_view column) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, column) -
                                    table.columns.begin());
}

std::vector<std::string> texts_of(const storage::Table& table, std::string_view column) {
    const std::size_t index = place_of(table, column);
    std::vector<std::string> texts;
    for (const auto& row : table.rows) texts.push_back(std::get<std::string>(row.at(index)));
    return texts;
}

std::vector<reports::RunFacts> facts_of(const storage::RunDatabase& database,
                                        const std::vector<std::string>& run_ids) {
    std::vector<reports::RunFacts> facts;
    database.read_at_once([&] {
        for (const std::string& id : run_ids) {
            auto row = database.find_run(id);
            if (!row) continue;
            row->state = state_of(row->state, database.attempts(id));
            facts.push_back({*row, database.epochs(id), database.metrics(id)});
        }
    });
    return facts;
}

}  // namespace lockstep::pipeline
