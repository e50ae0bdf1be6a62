#pragma once

// Which runs are seeds of one architecture: one name, one design, each training once. Computes;
// prints nothing.

#include <cstddef>
#include <string>
#include <vector>

#include "reports/figures/design.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/figures/test_set.hpp"

namespace lockstep::reports {

// A run whose training another one of the list is, too: it counts there, and only there.
struct RepeatedRun {
    std::size_t run = 0;      // places in the list
    std::size_t counted = 0;  // the one that counts
};

struct SeedGroup {
    std::string name;  // of the design; experiment, design or data in it where several
                       // have the name
    Design design;
    TestSet test_set;
    std::vector<std::size_t> runs;     // places in the list, by seed; no seed twice
    std::vector<RepeatedRun> repeats;  // in the order of the list
};

// In the order of their first runs. A run that has read no data yet belongs to the one group of its
// name and settings, if there is just one. Two runs of one seed that are not the same training are
// not of one design, whatever their rows say.
std::vector<SeedGroup> seed_groups(const std::vector<RunFigures>& runs);

}  // namespace lockstep::reports
