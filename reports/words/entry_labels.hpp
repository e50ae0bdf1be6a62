#pragma once

#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

// Short names of architectures, for the legends of charts.
struct EntryLabels {
    std::vector<std::string> labels{};  // [entries]
    std::string note{};                 // how they are to be read; "" where they are the names
};

// The names. Where one has more than 20 letters: of a sweep of two to four settings whose values
// tell the leading kComparedArchitectures apart, these values ("0.003 · 32 · 0.5"); else, of
// several names, what follows their common beginning, which ends with '-' or '_'.
EntryLabels entry_labels(const ExperimentReport& report, const Sweep& sweep);

}  // namespace lockstep::reports
