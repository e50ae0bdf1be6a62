#include "reports/figures/standing.hpp"

#include <algorithm>
#include <utility>

#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

using Entries = std::vector<ArchitectureFigures>;

std::optional<Standing> by_pooled_noise(const Entries& entries, std::size_t first) {
    const std::optional<PooledNoise> noise = pooled_noise(entries, first);
    if (!noise) return std::nullopt;
    Standing standing{.test = StandingTest::pooled_noise, .noise = noise};
    const std::vector<PooledPair> pairs = pooled_pairs(entries, *noise);
    standing.pairs = pairs.size();
    for (const PooledPair& pair : pairs) {
        if (pair.first != first && pair.second != first) continue;
        const bool is_first = pair.first == first;
        ++standing.tested;
        const bool is_better = *pair.adjusted_p_value < kSignificance &&
                               (is_first ? pair.difference < 0.0 : pair.difference > 0.0);
        if (is_better) {
            ++standing.better;
        } else {
            standing.equal.push_back(is_first ? pair.second : pair.first);
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

Standing standing_of(const Entries& entries, const std::vector<PairComparison>& pairs,
                     std::size_t first) {
    if (auto standing = by_pooled_noise(entries, first)) return *std::move(standing);
    return by_pairs(entries, pairs, first);
}

}  // namespace lockstep::reports
