#pragma once

// Settings of runs as columns of a table (docs/settings.md).

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/run_settings.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// A table whose last columns are settings, from `first` on, each under its full key.
struct SettingsTable {
    storage::Table table;
    std::size_t first = 0;
};

// `table` with a column for every key, in the order in which they first appear; NULL where a run
// has no such setting.
//   settings   of each row
SettingsTable with_settings(storage::Table table,
                            std::span<const std::vector<RunSetting>> settings);

// The keys in which rows differ that have them at all. Of layers only where all rows have the same
// ones: those of other networks differ in everything. Not train.seed, and not what is
// long and told elsewhere: data.path, data.classes.
std::vector<std::string> differing_settings(const SettingsTable& settings);

// The column that a user means by its name or by the end of a setting's key, after a dot. Of a key
// of a layer and one of none the latter: `momentum` is the optimizer's beside a batch
// normalization.
//   found     its name; "" if there is none or several
//   choices   the settings that it may mean, if several
struct MeantColumn {
    std::string found;
    std::vector<std::string> choices;
};
MeantColumn meant_column(const SettingsTable& settings, std::string_view text);

// The shortest end of a key that meant_column() takes for it: "momentum" of
// "train.optimizer.momentum".
std::string short_name(const SettingsTable& settings, const std::string& key);

}  // namespace lockstep::reports
