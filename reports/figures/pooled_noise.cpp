#include "reports/figures/pooled_noise.hpp"

#include <algorithm>
#include <cmath>

#include "reports/figures/effects.hpp"

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

double scale_of(const Estimate& a, const Estimate& b, double deviation) {
    return deviation * std::sqrt(1.0 / a.count + 1.0 / b.count);
}

PooledPair pair_of(const Entries& entries, std::size_t first, std::size_t second,
                   const PooledNoise& noise) {
    const Estimate& a = accuracy_of(entries[first]);
    const Estimate& b = accuracy_of(entries[second]);
    const double difference = b.mean - a.mean;
    const double half = student_t_quantile(0.5 + kConfidence / 2.0, noise.degrees) *
                        scale_of(a, b, noise.deviation);
    return {first,
            second,
            difference,
            {difference - half, difference + half},
            pooled_p_value(a, b, noise.deviation, noise.degrees)};
}

}  // namespace

std::optional<PooledNoise> pooled_noise(const Entries& entries, std::size_t first) {
    PooledNoise noise{group_of(entries, first)};
    if (noise.entries.size() < kFewestGroups) return std::nullopt;
    std::vector<Scatter> scatters;
    double squares = 0.0;
    for (const std::size_t i : noise.entries) {
        const Estimate& accuracy = accuracy_of(entries[i]);
        if (!accuracy.deviation) return std::nullopt;
        scatters.push_back(
            {*accuracy.deviation * *accuracy.deviation * (accuracy.count - 1), accuracy.count - 1});
        squares += scatters.back().squares;
        noise.degrees += scatters.back().degrees;
        noise.largest_deviation = std::max(noise.largest_deviation, *accuracy.deviation);
    }
    noise.unequal_p_value = unequal_scatter(scatters);
    noise.deviation = std::sqrt(squares / noise.degrees);
    if (!(noise.deviation > 0.0)) return std::nullopt;
    return noise;
}

std::vector<PooledPair> pooled_pairs(const Entries& entries, const PooledNoise& noise) {
    std::vector<PooledPair> pairs;
    for (std::size_t i = 0; i < noise.entries.size(); ++i) {
        for (std::size_t j = i + 1; j < noise.entries.size(); ++j) {
            pairs.push_back(pair_of(entries, noise.entries[i], noise.entries[j], noise));
        }
    }
    correct_for_many(pairs);
    return pairs;
}

std::optional<double> pooled_p_value(const Estimate& a, const Estimate& b, double deviation,
                                     int degrees) {
    if (!(deviation > 0.0)) return std::nullopt;
    const double t = std::abs(a.mean - b.mean) / scale_of(a, b, deviation);
    return 2.0 * student_t_probability(-t, degrees);
}

}  // namespace lockstep::reports
