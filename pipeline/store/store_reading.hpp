#pragma once

// What the reading verbs share. They open the database for reading only, and work while a training
// writes it.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "pipeline/recording/run_state.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/table_columns.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// The folder of results where a user names none.
inline constexpr const char* kDefaultStore = "lockstep-store";

// Tells, on stderr, where a newer Lockstep wrote the database.
// Throws StorageError (missing) where there is no store.
storage::RunDatabase open_for_reading(const std::filesystem::path& store);
// The same in silence, for a store that the verb has opened before.
storage::RunDatabase open_again_for_reading(const std::filesystem::path& store,
                                            std::chrono::milliseconds wait = storage::kUsualWait);
// What open_for_reading() tells; "" for a database of this version or an older one.
std::string newer_version_warning(const storage::RunDatabase& database);

// The one run a user means by its id, the beginning of its id, its name or its design's.
// Throws Failure (kExitMissingInput) if there is none, UsageError if there are several.
storage::RunRow the_run(const storage::RunDatabase& database, std::string_view text);

// The ids of all runs that the texts may mean, in their order, each once: a name may stand for
// several runs, of other settings, and a design's name for all its seeds.
// Throws Failure (kExitMissingInput) for a text without any.
std::vector<std::string> matching_runs(const storage::RunDatabase& database,
                                       const std::vector<std::string>& texts);

// Whether the text is the run's id, its name or its design's, and not only the beginning of one.
bool is_name_of(std::string_view text, const storage::RunRow& run);

// As matching_runs(), for verbs that change or remove what they are told: a beginning that ids of
// several designs have names none of them.
// Throws UsageError for such a text, too.
std::vector<std::string> runs_to_change(const storage::RunDatabase& database,
                                        const std::vector<std::string>& texts);

// Throws Failure (kExitMissingInput) if the store has no such experiment; "" stands for all.
void require_experiment(const storage::RunDatabase& database, const std::string& experiment);
Failure no_such_experiment(const std::vector<storage::ExperimentRow>& rows,
                           const std::string& experiment);
// "first, second and 3 more"; "none".
std::string list_of(const std::vector<storage::ExperimentRow>& rows);

using reports::place_of;

// The texts in a column of a table.
std::vector<std::string> texts_of(const storage::Table& table, std::string_view column);

// The figures of those of the runs that are stored, from one moment.
std::vector<reports::RunFigures> figures_of(const storage::RunDatabase& database,
                                            const std::vector<std::string>& run_ids);

}  // namespace lockstep::pipeline
