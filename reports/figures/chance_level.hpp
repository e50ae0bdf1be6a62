#pragma once

// What guessing gives: accuracies are read against it.

#include <optional>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/figures/test_set.hpp"

namespace lockstep::reports {

// 1 / classes: the expected accuracy of answers drawn at random, each class as likely, whatever the
// labels are. None where the classes are not known.
std::optional<double> chance_level(const TestSet& set);

// Whether a test accuracy lies no higher than chance, or so little that Wilson's interval reaches
// down to it. False where there is no accuracy.
bool is_at_chance(const RunFigures& run);
// Whether that holds for every finished run of the architecture that was tested, and there is one:
// that seeds scatter is no sign of guessing, so their t interval is not asked.
bool is_at_chance(const ArchitectureFigures& entry, const std::vector<RunFigures>& runs);

}  // namespace lockstep::reports
