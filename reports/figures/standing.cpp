#include "reports/figures/standing.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reports/figures/effects.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Entries = std::vector<ArchitectureFigures>;

constexpr std::size_t kFewestGroups = 3;

const Estimate& accuracy_of(const ArchitectureFigures& entry) {
    return entry.test_accuracy.estimate;
}

// Finished entries on the test set of `first`.
std::vector<std::size_t> group_of(const Entries& entries, std::size_t first) {
    std::vector<std::size_t> group;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const bool is_in = entries[i].test_set == entries[first].test_set &&
                           !entries[i].is_preliminary && accuracy_of(entries[i]).count > 0;
        if (is_in) group.push_back(i);
    }
    return group;
}

struct TestedPair {
    std::size_t first = 0;
    std::size_t second = 0;
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};
};

std::optional<Standing> by_pooled_noise(const Entries& entries, std::size_t first) {
    const std::vector<std::size_t> group = group_of(entries, first);
    if (group.size() < kFewestGroups) return std::nullopt;
    Standing standing{.test = StandingTest::pooled_noise};
    std::vector<Scatter> scatters;
    double squares = 0.0;
    for (const std::size_t i : group) {
        const Estimate& accuracy = accuracy_of(entries[i]);
        if (!accuracy.deviation) return std::nullopt;
        scatters.push_back(
            {*accuracy.deviation * *accuracy.deviation * (accuracy.count - 1), accuracy.count - 1});
        squares += scatters.back().squares;
        standing.degrees += scatters.back().degrees;
        standing.largest_deviation = std::max(standing.largest_deviation, *accuracy.deviation);
    }
    standing.unequal_p_value = unequal_scatter(scatters);
    standing.deviation = std::sqrt(squares / standing.degrees);
    if (!(standing.deviation > 0.0)) return std::nullopt;

    std::vector<TestedPair> pairs;
    for (std::size_t i = 0; i < group.size(); ++i) {
        for (std::size_t j = i + 1; j < group.size(); ++j) {
            pairs.push_back(
                {group[i], group[j],
                 pooled_p_value(accuracy_of(entries[group[i]]), accuracy_of(entries[group[j]]),
                                standing.deviation, standing.degrees)});
        }
    }
    correct_for_many(pairs);
    standing.pairs = pairs.size();
    for (const TestedPair& pair : pairs) {
        if (pair.first != first && pair.second != first) continue;
        const std::size_t other = pair.first == first ? pair.second : pair.first;
        ++standing.tested;
        const bool is_better = *pair.adjusted_p_value < kSignificance &&
                               accuracy_of(entries[first]).mean > accuracy_of(entries[other]).mean;
        if (is_better) {
            ++standing.better;
        } else {
            standing.equal.push_back(other);
        }
    }
    return standing;
}

Standing by_pairs(const Entries& entries, const std::vector<PairComparison>& pairs,
                  std::size_t first) {
    Standing standing;
    const std::string& name = entries[first].name;
    for (const PairComparison& pair : pairs) {
        const bool is_first = pair.first == name;
        if (!is_first && pair.second != name) continue;
        if (pair.verdict == Verdict::not_comparable) continue;
        standing.test = StandingTest::pairs;
        ++standing.tested;
        standing.is_of_single_runs = standing.is_of_single_runs || !pair.is_over_seeds;
        if (pair.verdict == (is_first ? Verdict::first_is_better : Verdict::second_is_better)) {
            ++standing.better;
            continue;
        }
        const auto other = std::ranges::find(entries, is_first ? pair.second : pair.first,
                                             &ArchitectureFigures::name);
        if (other == entries.end()) continue;
        standing.equal.push_back(static_cast<std::size_t>(other - entries.begin()));
    }
    return standing;
}

}  // namespace

std::optional<double> pooled_p_value(const Estimate& a, const Estimate& b, double deviation,
                                     int degrees) {
    if (!(deviation > 0.0)) return std::nullopt;
    const double scale = deviation * std::sqrt(1.0 / a.count + 1.0 / b.count);
    return 2.0 * student_t_probability(-std::abs(a.mean - b.mean) / scale, degrees);
}

Standing standing_of(const Entries& entries, const std::vector<PairComparison>& pairs,
                     std::size_t first) {
    if (auto standing = by_pooled_noise(entries, first)) return *std::move(standing);
    return by_pairs(entries, pairs, first);
}

}  // namespace lockstep::reports
