#pragma once

// Which runs are trainings of one design, and which are one training. The one definition: grouping,
// pairs, diff, clean figures and the run queue all ask here.
//
// A design is every setting that can change a result, the seed aside, and the data. Names, texts,
// printed figures, paths, ranks_per_run and record_steps are no part of it, as they are no part of
// the config digest. Weights to start from are their content. A row of a store older than schema
// version 3 does not tell that content: there, and only there, the file's path stands for it.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/config_text.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

struct Design {
    std::string settings;     // settings_digest() of its settings
    std::string data_digest;  // of the data; "" as long as no run has read it

    auto operator<=>(const Design&) const = default;
};
Design design_of(const storage::RunRow& run);

// SHA-256 over lines "train.batch_size=32\n", those of the config digest but for the seed's.
std::string settings_digest(std::string_view lines);

// These lines, from what the store keeps of a run. `initial_weights_sha256` is "" where it is not
// known.
std::string settings_lines(const std::vector<ConfigValue>& values,
                           std::string_view initial_weights_sha256);

// Whether a setting is part of a design: not names, texts, paths, the seed, nor what sets the pace.
bool changes_results(std::string_view key);

// settings_digest() without what only chooses among the epochs: early stopping, checkpoint, and
// validation on the test set or none. What cuts images off for it stays.
std::string unselected_settings(const std::vector<ConfigValue>& values,
                                std::string_view initial_weights_sha256);

// "vgg-bn-batch_size32" of "vgg-bn-batch_size32-seed3": as stored, or for a row of an older store
// its name without the seed at its end.
std::string design_name_of(const storage::RunRow& run);
std::string name_without_seed(std::string_view name, std::int64_t seed);

// The same settings, seed and data, under whatever id: its result is one result. A run that has
// not read its data yet may be the same training as any of its settings and seed.
bool is_same_training(const storage::RunRow& first, const storage::RunRow& second);

// Of runs that are the same training one counts: the finished before the unfinished, then the
// oldest.
bool counts_before(const storage::RunRow& first, const storage::RunRow& second);

}  // namespace lockstep::reports
