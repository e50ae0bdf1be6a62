#pragma once

// Comparisons in words, the same in HTML and Markdown.

#include <string>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/pair_comparison.hpp"

namespace lockstep::reports {

// "vgg-bn is better", "not distinguishable"; a test of one run each speaks of "these trainings".
std::string verdict_text(const PairComparison& pair);
// "95 % t interval of the mean over 3 seeds", "95 % Wilson interval of one run"; "" for none.
std::string interval_kind_text(const Measured& measured);
// "covered by our interval", "above our interval", "not finished".
std::string coverage_text(const PrintedComparison& printed);
// "over seeds", "McNemar": the test that p_value is of.
std::string test_text(const PairComparison& pair);

}  // namespace lockstep::reports
