#include "reports/figures/standing.hpp"

#include <algorithm>

namespace lockstep::reports {

Standing standing_of(const std::vector<ArchitectureFigures>& entries,
                     const std::vector<PairTest>& tests, std::size_t first) {
    Standing standing;
    for (std::size_t other = 0; other < entries.size(); ++other) {
        const bool is_other = other != first &&
                              entries[other].test_set == entries[first].test_set &&
                              entries[other].test_accuracy.estimate.count > 0;
        if (!is_other) continue;
        ++standing.others;
        const PairTest* test = test_of(tests, first, other);
        if (test == nullptr) {
            standing.untested.push_back(other);
            continue;
        }
        standing.family = std::max(standing.family, test->family);
        const double above =
            test->first == first ? test->welch.difference : -test->welch.difference;
        if (!test->is_told_apart() || above <= 0.0) {
            standing.equal.push_back(other);
            continue;
        }
        standing.worse.push_back(other);
        standing.largest_p_value = std::max(standing.largest_p_value, test->adjusted_p_value);
    }
    return standing;
}

}  // namespace lockstep::reports
