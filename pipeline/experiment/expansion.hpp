#pragma once

// From the runs of a file to the runs that will be trained: inheritance, `--set`, sweep and seeds.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {

// One `--set`, read.
struct Override {
    std::string run;               // base name of the run it is for; empty: all
    std::vector<std::string> key;  // {train, epochs}
    Value value;
};

// Reads "train.epochs=2" and "run.NAME.train.epochs=2", for the runs of `file`. Those of the
// experiment ("experiment.name=x") and the sweep ("sweep.train.epochs=[1, 2]") are applied to
// `file` and not returned.
std::vector<Override> apply_overrides(Table& file, const std::vector<std::string>& texts,
                                      Problems& problems);

// A run of a design, and its seed where a list of seeds gives it.
struct SeededRun {
    std::string name;
    std::optional<Value> seed;
};

// One combination of swept values. Its runs differ in their seed alone.
struct Design {
    std::string base_name;
    std::string name;  // base name, then "-batch_size32" for each swept key
    Origin origin;     // of its [[run]]
    Table settings;    // data, train (without `seeds`), parallel, checkpoint, layers, source, ...
    std::vector<SeededRun> runs;  // not empty
};

inline constexpr std::size_t kMostRuns = 10'000;  // of one experiment

// Hands every design to `take`: in the order of the file; a run's combinations with the first swept
// key slowest. Later settings win: top-level tables, the run's own, the sweep's values, `--set`,
// `--set run.NAME`. A swept key that a `--set` replaces is no longer swept, and `notes` says so.
// The runs are counted first, and too many of them are a problem and not expanded.
void expand_runs(const Table& file, const std::vector<Override>& overrides,
                 std::vector<std::string>& notes, Problems& problems,
                 const std::function<void(Design)>& take);

}  // namespace lockstep::pipeline
