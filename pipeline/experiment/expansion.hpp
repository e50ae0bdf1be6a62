#pragma once

// From the runs of a file to the runs that will be trained: inheritance, `--set`, sweep and seeds.

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

struct ExpandedRun {
    std::string name;  // base name, then "-batch_size32" for each swept key, then "-seed2"
    std::string base_name;
    std::string design_name;  // `name` without the part for the seed
    Origin origin;            // of its [[run]]
    Table settings;  // data, train (with `seed`), parallel, checkpoint, layers, source, ...
};

// In the order of the file; a run's combinations with the first swept key slowest, then its seeds.
// Later ones win: top-level tables, the run's own, the sweep's values, `--set`, `--set run.NAME`.
// A swept key that is set by `--set` is no longer swept.
std::vector<ExpandedRun> expand_runs(const Table& file, const std::vector<Override>& overrides,
                                     Problems& problems);

}  // namespace lockstep::pipeline
