#include "reports/figures/effects.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "reports/figures/effect_fit.hpp"
#include "reports/figures/statistics.hpp"

namespace lockstep::reports {
namespace {

// Beyond it a least-squares fit is not worth its time: nearly every run has values of its own.
constexpr std::size_t kMostLevels = 400;

double mean_of(std::span<const double> values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double squares_around_mean(std::span<const double> values) {
    const double mean = mean_of(values);
    double squares = 0.0;
    for (const double value : values) squares += (value - mean) * (value - mean);
    // Values that agree but for their rounding do not vary.
    const auto [low, high] = std::ranges::minmax(values);
    return is_same_figure(low, high) ? 0.0 : squares;
}

using Combinations = std::map<std::vector<std::size_t>, std::vector<double>>;

Combinations combinations_of(std::span<const Factor> factors, std::span<const double> values) {
    Combinations combinations;
    for (std::size_t run = 0; run < values.size(); ++run) {
        std::vector<std::size_t> levels;
        for (const Factor& factor : factors) levels.push_back(factor.level_of[run]);
        combinations[std::move(levels)].push_back(values[run]);
    }
    return combinations;
}

bool is_complete_grid(std::span<const Factor> factors, const Combinations& combinations) {
    std::size_t grid = 1;
    for (const Factor& factor : factors) {
        if (grid > combinations.size()) return false;
        grid *= factor.levels;
    }
    return grid == combinations.size() && std::ranges::all_of(combinations, [&](const auto& each) {
               return each.second.size() == combinations.begin()->second.size();
           });
}

void add_seeds(const Combinations& combinations, Effects& effects) {
    std::vector<Scatter> groups;
    for (const auto& [levels, values] : combinations) {
        const Scatter group{squares_around_mean(values), static_cast<int>(values.size()) - 1};
        effects.seeds.squares += group.squares;
        if (group.degrees == 0) continue;
        groups.push_back(group);
        effects.largest_deviation =
            std::max(effects.largest_deviation, std::sqrt(group.squares / group.degrees));
    }
    effects.unequal_p_value = unequal_scatter(groups);
    effects.seeds.degrees = static_cast<int>(effects.runs - combinations.size());
    if (effects.seeds.degrees == 0) return;
    effects.seed_deviation = std::sqrt(effects.seeds.squares / effects.seeds.degrees);
}

// Holm's correction over the factors and the interactions as a whole.
void correct(Effects& effects) {
    std::vector<Effect> tests = effects.factors;
    tests.push_back(effects.interactions);
    correct_for_many(tests);
    effects.interactions = tests.back();
    tests.pop_back();
    effects.factors = std::move(tests);
}

void add_together(const Fit& all, Effects& effects) {
    Effect& together = effects.together;
    together = {all.degrees, all.squares};
    for (const Effect& factor : effects.factors) {
        if (!factor.share) continue;
        together.degrees -= factor.degrees;
        together.squares -= factor.squares;
    }
    // Beyond rounding; sums that suppress each other add up to more than the whole.
    const bool is_part = together.squares > 1e-9 * effects.total;
    if (!is_part) together = {};
    if (is_part) together.share = together.squares / effects.total;
}

std::vector<double> centred_of(std::span<const double> values) {
    std::vector<double> centred(values.begin(), values.end());
    for (double& value : centred) value -= mean_of(values);
    return centred;
}

void check(std::span<const Factor> factors, std::span<const double> values) {
    bool is_sound = !values.empty();
    for (const Factor& factor : factors) {
        is_sound = is_sound && factor.level_of.size() == values.size() &&
                   std::ranges::all_of(factor.level_of,
                                       [&](std::size_t level) { return level < factor.levels; });
    }
    if (!is_sound) throw std::invalid_argument("effects need values, and their levels");
}

std::vector<LevelMean> means_of(std::span<const std::size_t> groups, std::size_t count,
                                std::span<const double> values) {
    std::vector<LevelMean> means(count);
    for (std::size_t run = 0; run < values.size(); ++run) {
        LevelMean& group = means[groups[run]];
        group.low = group.runs == 0 ? values[run] : std::min(group.low, values[run]);
        group.high = group.runs == 0 ? values[run] : std::max(group.high, values[run]);
        group.mean += values[run];
        ++group.runs;
    }
    for (LevelMean& group : means) {
        if (group.runs > 0) group.mean /= static_cast<double>(group.runs);
    }
    return means;
}

void add_figures(const Effects& effects, Effect& effect) {
    if (effect.degrees == 0 || effect.is_confounded) return;
    if (effects.total > 0.0) effect.share = effect.squares / effects.total;
    if (effects.seed_deviation.value_or(0.0) <= 0.0) return;
    const double noise = *effects.seed_deviation * *effects.seed_deviation;
    effect.f = effect.squares / effect.degrees / noise;
    effect.p_value = f_tail_probability(*effect.f, effect.degrees, effects.seeds.degrees);
}

}  // namespace

double f_tail_probability(double f, double d1, double d2) {
    if (std::isinf(f)) return 0.0;
    return incomplete_beta(d2 / (d2 + d1 * f), d2 / 2.0, d1 / 2.0);
}

double expected_maximum(std::size_t count) {
    if (count <= 1) return 0.0;
    const auto n = static_cast<double>(count);
    const auto density = [n](double x) {
        const double below = std::erfc(-x / std::numbers::sqrt2) / 2.0;
        const double normal = std::exp(-x * x / 2.0) / std::sqrt(2.0 * std::numbers::pi);
        return x * n * normal * std::pow(below, n - 1.0);
    };
    constexpr int kSteps = 4000;  // even
    constexpr double kEnd = 10.0;
    constexpr double kStep = 2.0 * kEnd / kSteps;
    double sum = density(-kEnd) + density(kEnd);
    for (int i = 1; i < kSteps; ++i) sum += (i % 2 == 0 ? 2.0 : 4.0) * density(-kEnd + i * kStep);
    return sum * kStep / 3.0;
}

std::optional<double> unequal_scatter(std::span<const Scatter> groups) {
    Scatter all;
    Scatter largest;
    int count = 0;
    for (const Scatter& group : groups) {
        if (group.degrees == 0) continue;
        ++count;
        all.squares += group.squares;
        all.degrees += group.degrees;
        if (group.squares * largest.degrees > largest.squares * group.degrees ||
            largest.degrees == 0) {
            largest = group;
        }
    }
    if (count < 2 || !(all.squares > 0.0)) return std::nullopt;
    const Scatter others{all.squares - largest.squares, all.degrees - largest.degrees};
    const double f = others.squares > 0.0
                         ? largest.squares / largest.degrees / (others.squares / others.degrees)
                         : std::numeric_limits<double>::infinity();
    return std::min(1.0, count * f_tail_probability(f, largest.degrees, others.degrees));
}

Effects main_effects(std::span<const Factor> factors, std::span<const double> values) {
    check(factors, values);
    Effects effects;
    const Combinations combinations = combinations_of(factors, values);
    effects.runs = values.size();
    effects.combinations = combinations.size();
    effects.is_complete = is_complete_grid(factors, combinations);
    effects.total = squares_around_mean(values);
    add_seeds(combinations, effects);

    const std::vector<double> centred = centred_of(values);
    std::size_t levels = 0;
    for (const Factor& factor : factors) levels += factor.levels;
    const bool is_fitted = levels <= kMostLevels;
    for (std::size_t i = 0; i < factors.size(); ++i) {
        Effect& effect = effects.factors.emplace_back();
        const Fit fit = is_fitted ? squares_of_factor(factors, i, centred) : Fit{};
        effect.squares = fit.squares;
        effect.degrees = fit.degrees;
        const int differences = static_cast<int>(factors[i].levels) - 1;
        effect.is_confounded =
            differences > 0 && (fit.degrees == 0 || 2 * fit.degrees < differences);
        effect.is_partial = !effect.is_confounded && fit.degrees < differences;
        add_figures(effects, effect);
    }
    const Fit all = is_fitted ? squares_of_all(factors, centred) : Fit{};
    effects.interactions.degrees =
        is_fitted ? static_cast<int>(combinations.size()) - 1 - all.degrees : 0;
    effects.interactions.squares =
        std::max(0.0, effects.total - effects.seeds.squares - all.squares);
    add_figures(effects, effects.interactions);
    add_together(all, effects);
    correct(effects);
    if (effects.seeds.degrees > 0 && effects.total > 0.0) {
        effects.seeds.share = effects.seeds.squares / effects.total;
    }
    return effects;
}

std::vector<PairEffect> pair_effects(std::span<const Factor> factors,
                                     std::span<const double> values, const Effects& effects) {
    check(factors, values);
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    std::size_t columns = 0;
    for (std::size_t first = 0; first < factors.size(); ++first) {
        for (std::size_t second = first + 1; second < factors.size(); ++second) {
            columns += (factors[first].levels - 1) * (factors[second].levels - 1);
            pairs.emplace_back(first, second);
        }
    }
    if (columns > kMostPairColumns || effects.seed_deviation.value_or(0.0) <= 0.0) return {};
    const std::vector<double> centred = centred_of(values);
    std::vector<PairEffect> found;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        PairEffect pair{pairs[i].first, pairs[i].second};
        const Fit fit = squares_of_pair(factors, pairs, i, centred);
        pair.squares = fit.squares;
        pair.degrees = fit.degrees;
        add_figures(effects, pair);
        if (pair.p_value) found.push_back(pair);
    }
    correct_for_many(found);
    std::ranges::stable_sort(found, std::ranges::greater{}, &PairEffect::squares);
    return found;
}

std::vector<LevelMean> level_means(const Factor& factor, std::span<const double> values) {
    return means_of(factor.level_of, factor.levels, values);
}

std::vector<LevelMean> pair_means(const Factor& first, const Factor& second,
                                  std::span<const double> values) {
    std::vector<std::size_t> groups;
    for (std::size_t run = 0; run < values.size(); ++run) {
        groups.push_back(first.level_of[run] * second.levels + second.level_of[run]);
    }
    return means_of(groups, first.levels * second.levels, values);
}

double share_between(std::span<const LevelMean> groups, std::span<const double> values) {
    const double total = values.empty() ? 0.0 : squares_around_mean(values);
    if (total <= 0.0) return 0.0;
    const double mean = mean_of(values);
    double between = 0.0;
    for (const LevelMean& group : groups) {
        between += static_cast<double>(group.runs) * (group.mean - mean) * (group.mean - mean);
    }
    return between / total;
}

}  // namespace lockstep::reports
