#pragma once

// Comparisons in words, the same in HTML and Markdown.

#include <optional>
#include <string>
#include <string_view>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_comparison.hpp"

namespace lockstep::reports {

// "vgg-bn is better", "not distinguishable", "not tested: one seed each".
// Says so where a side was selected on the test set.
std::string verdict_text(const PairComparison& pair);
// The side that was selected on the test set, "both", or "".
std::string selected_text(const PairComparison& pair);
// The kind of interval as tables have it: over_seeds, of_one_run, none.
std::string_view interval_word(const Measured& measured);
// "covered by our interval over 3 seeds", "above our interval of one run"; why there is none.
std::string coverage_text(const PrintedComparison& printed);
// "Welch, over seeds", "McNemar, one run each": the test that p_value() is of.
std::string test_text(const PairComparison& pair);
std::optional<double> p_value(const PairComparison& pair);
std::optional<double> adjusted_p_value(const PairComparison& pair);  // of a test over seeds alone

}  // namespace lockstep::reports
