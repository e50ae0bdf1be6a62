#include "pipeline/store/store_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <variant>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "reports/figures/design.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

Failure no_such_run(const storage::RunDatabase& database, std::string_view text) {
    const std::vector<storage::RunRow> runs = database.runs();
    std::vector<std::string_view> known;
    for (const storage::RunRow& run : runs) known.insert(known.end(), {run.name, run.run});
    const std::string hint = did_you_mean(text, known);
    return {kExitMissingInput, fmt::format("the store has no run \"{}\"{} `lockstep ls` lists them",
                                           text, hint.empty() ? ";" : hint)};
}

// "small-seed1-4f2a (sweep, finished), ..."; of many the first, and how many more.
std::string listed(const storage::RunDatabase& database, const std::vector<storage::RunRow>& runs) {
    constexpr std::size_t kMost = 8;
    std::string ids;
    for (std::size_t i = 0; i < std::min(runs.size(), kMost); ++i) {
        const auto state = state_of(runs[i].state, database.attempts(runs[i].run));
        ids += fmt::format("{}{} ({}, {})", ids.empty() ? "" : ", ", runs[i].run,
                           runs[i].experiment, storage::to_string(state));
    }
    if (runs.size() > kMost)
        ids += fmt::format(" and {} more; `lockstep ls --columns run,name,seed` lists them",
                           runs.size() - kMost);
    return ids;
}

bool are_of_one_design(const std::vector<storage::RunRow>& runs) {
    const auto design_of = [](const storage::RunRow& run) {
        return std::pair(reports::design_name_of(run), reports::design_of(run).settings);
    };
    return std::ranges::all_of(runs, [&](const storage::RunRow& run) {
        return design_of(run) == design_of(runs.front());
    });
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
    if (matches.empty()) throw no_such_run(database, text);
    if (matches.size() == 1) return matches.front();
    throw UsageError(
        fmt::format("\"{}\" may mean several runs: {}", text, listed(database, matches)));
}

std::vector<std::string> matching_runs(const storage::RunDatabase& database,
                                       const std::vector<std::string>& texts) {
    std::vector<std::string> ids;
    for (const std::string& text : texts) {
        const std::vector<storage::RunRow> matches = database.match_runs(text);
        if (matches.empty()) throw no_such_run(database, text);
        for (const storage::RunRow& row : matches) {
            if (std::find(ids.begin(), ids.end(), row.run) == ids.end()) ids.push_back(row.run);
        }
    }
    return ids;
}

bool is_name_of(std::string_view text, const storage::RunRow& run) {
    return text == run.run || text == run.name || text == reports::design_name_of(run);
}

std::vector<std::string> runs_to_change(const storage::RunDatabase& database,
                                        const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
        const std::vector<storage::RunRow> matches = database.match_runs(text);
        if (matches.empty() || is_name_of(text, matches.front()) || are_of_one_design(matches))
            continue;
        throw UsageError(fmt::format(
            "\"{}\" is no run's name, only the beginning of several architectures' runs; name "
            "those that you mean: {}",
            text, listed(database, matches)));
    }
    return matching_runs(database, texts);
}

void require_experiment(const storage::RunDatabase& database, const std::string& experiment) {
    if (experiment.empty()) return;
    const std::vector<storage::ExperimentRow> rows = database.experiments();
    if (std::ranges::find(rows, experiment, &storage::ExperimentRow::name) == rows.end())
        throw no_such_experiment(rows, experiment);
}

Failure no_such_experiment(const std::vector<storage::ExperimentRow>& rows,
                           const std::string& experiment) {
    std::vector<std::string_view> names;
    for (const storage::ExperimentRow& row : rows) names.push_back(row.name);
    const std::string hint = did_you_mean(experiment, names);
    return {kExitMissingInput,
            fmt::format("the store has no experiment \"{}\"{} {}", experiment,
                        hint.empty() ? "; it has:" : hint + " It has:", list_of(rows))};
}

std::string list_of(const std::vector<storage::ExperimentRow>& rows) {
    constexpr std::size_t kMost = 12;
    std::string names;
    for (std::size_t i = 0; i < std::min(rows.size(), kMost); ++i)
        names += (i == 0 ? "" : ", ") + rows[i].name;
    if (rows.size() > kMost)
        names += fmt::format(" and {} more; `lockstep ls --experiments` lists them",
                             rows.size() - kMost);
    return names.empty() ? "none" : names;
}

std::vector<std::string> texts_of(const storage::Table& table, std::string_view column) {
    const std::size_t index = place_of(table, column);
    std::vector<std::string> texts;
    for (const auto& row : table.rows) texts.push_back(std::get<std::string>(row.at(index)));
    return texts;
}

std::vector<reports::RunFigures> figures_of(const storage::RunDatabase& database,
                                            const std::vector<std::string>& run_ids) {
    std::vector<reports::RunFigures> figures;
    database.read_at_once([&] {
        for (const std::string& id : run_ids) {
            if (database.find_run(id))
                figures.push_back(reports::run_figures(details_of(database, id)));
        }
    });
    return figures;
}

}  // namespace lockstep::pipeline
