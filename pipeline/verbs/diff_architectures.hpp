#pragma once

// `diff` where a side is several seeds of an architecture, and what it says of any two.

#include <string>
#include <vector>

#include "pipeline/verbs/diff.hpp"
#include "reports/figures/run_figures.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// The runs that either text of the user stands for.
using Sides = std::vector<std::vector<reports::RunFigures>>;

// Throws UsageError where a side is of several architectures.
int diff_architectures(const storage::RunDatabase& database, const DiffOptions& options,
                       const Sides& sides);

// "wide is better than deep ...", of the architectures of both sides over all their seeds in the
// experiments that they stand in; "" of one.
std::string sentence_on(const storage::RunDatabase& database, const Sides& sides);

}  // namespace lockstep::pipeline
