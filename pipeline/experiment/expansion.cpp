#include "pipeline/experiment/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/experiment/base_runs.hpp"
#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/experiment/sweep.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::pipeline {
namespace {

// Of all runs together, counted as settings_size() does: 10,000 runs of 150 settings.
constexpr std::int64_t kMostSettings = 1'500'000;

std::string count_text(std::int64_t count) {
    return count == kManyRuns ? "more than 10^18" : reports::thousands(count);
}

// "a sweep of 100 x 20 values, 3 seeds": what makes many runs of one.
std::string multipliers_of(const BaseRun& base) {
    std::vector<std::string> sizes;
    for (const Axis* axis : base.axes)
        sizes.push_back(count_text(static_cast<std::int64_t>(axis->values.size())));
    constexpr std::size_t kShown = 10;
    if (sizes.size() > kShown) sizes.resize(kShown, "...");
    if (sizes.empty()) return "a list of seeds";
    const std::string seeds =
        base.seeds > 1 ? fmt::format(", {} seeds", count_text(base.seeds)) : std::string();
    return fmt::format("a sweep of {} values{}", fmt::join(sizes, " x "), seeds);
}

// Whether there are few enough of them to be expanded.
bool are_few_enough(const std::vector<BaseRun>& bases, Problems& problems) {
    std::int64_t runs = 0;
    std::int64_t settings = 0;
    for (const BaseRun& base : bases) {
        runs = std::min(runs + base.runs, kManyRuns);
        settings += std::min(base.runs, static_cast<std::int64_t>(kMostRuns)) * base.size;
    }
    if (bases.empty()) return true;
    const auto largest = std::max_element(
        bases.begin(), bases.end(), [](const auto& a, const auto& b) { return a.runs < b.runs; });
    const std::string why = largest->runs > 1
                                ? fmt::format("; run {} alone for {}: {}", largest->name,
                                              count_text(largest->runs), multipliers_of(*largest))
                                : std::string();
    if (runs > static_cast<std::int64_t>(kMostRuns)) {
        problems.add(largest->origin,
                     fmt::format("the experiment stands for {} runs, at most {} are possible{}",
                                 count_text(runs), count_text(kMostRuns), why));
        return false;
    }
    if (settings <= kMostSettings) return true;
    problems.add(largest->origin,
                 fmt::format("the runs of the experiment have {} settings together (layers, texts, "
                             "lists), at most {} are possible{}",
                             count_text(settings), count_text(kMostSettings), why));
    return false;
}

// The words of the swept keys, worked out once for all runs that sweep the same ones.
class AxisWords {
public:
    const std::vector<std::string>& of(const std::vector<const Axis*>& axes, bool has_seed_words) {
        const auto [entry, is_new] = known_.try_emplace({axes, has_seed_words});
        if (is_new) entry->second = axis_words(axes, has_seed_words);
        return entry->second;
    }

private:
    std::map<std::pair<std::vector<const Axis*>, bool>, std::vector<std::string>> known_;
};

class Expansion {
public:
    Expansion(RunNames& names, Problems& problems, const std::function<void(Combination)>& take)
        : names_(names), problems_(problems), take_(take) {}

    // Every combination of the swept values, the first key slowest.
    void expand(const BaseRun& base) {
        std::vector<SweptValue> values;
        for (const Axis* axis : base.axes) values.push_back({axis, 0});
        do {
            if (problems_.are_enough()) return;
            add_combination(base, values);
        } while (advance(values));
    }

private:
    static bool advance(std::vector<SweptValue>& values) {
        for (std::size_t i = values.size(); i-- > 0;) {
            if (++values[i].index < values[i].axis->values.size()) return true;
            values[i].index = 0;
        }
        return false;
    }

    void add_combination(const BaseRun& base, const std::vector<SweptValue>& values) {
        Combination combination{base.name, {}, {}, base.origin, base.settings, {}};
        lay_over(combination.settings, values);
        for (const Override* one : base.overrides) {
            lay_over(combination.settings, nested_table(one->key, one->value));
        }
        const Array seeds = seeds_in(combination.settings, problems_);
        drop_seeds(combination.settings);
        const std::vector<std::string> parts = parts_of(base, values, seeds.size() > 1);
        combination.name = run_name(base.name, parts, "");
        combination.design_name = run_name(base.name, without_seed(base, parts), "");
        check_values(combination, values);
        name_runs(base, combination, parts, seeds);
        take_(std::move(combination));
    }

    std::vector<std::string> parts_of(const BaseRun& base, const std::vector<SweptValue>& values,
                                      bool has_seed_words) {
        const std::vector<std::string>& words = words_.of(base.axes, has_seed_words);
        std::vector<std::string> parts;
        for (std::size_t i = 0; i < values.size(); ++i) {
            parts.push_back(words[i] + values[i].axis->value_words[values[i].index]);
        }
        return parts;
    }

    static bool sweeps_seed(const Axis& axis) {
        return axis.key.size() == 2 && axis.key[0] == "train" && axis.key[1] == "seed";
    }

    // Seeds of one design, listed or swept, share their name but for the seed.
    static std::vector<std::string> without_seed(const BaseRun& base,
                                                 const std::vector<std::string>& parts) {
        std::vector<std::string> others;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (!sweeps_seed(*base.axes[i])) others.push_back(parts[i]);
        }
        return others;
    }

    void name_runs(const BaseRun& base, Combination& combination,
                   const std::vector<std::string>& parts, const Array& seeds) {
        if (seeds.empty()) combination.runs.push_back({combination.name, std::nullopt});
        for (const Value& seed : seeds) {
            const std::string part = seeds.size() == 1 ? "" : "-seed" + plain_text(seed);
            combination.runs.push_back({run_name(base.name, parts, part), seed});
        }
        if (!base.is_name_good) return;
        for (const SeededRun& run : combination.runs) {
            if (run.name != base.name) names_.take(run.name, base.origin);
        }
    }

    // A name that tells a value which the run does not use would lie.
    void check_values(const Combination& combination, const std::vector<SweptValue>& values) {
        for (const SweptValue& swept : values) {
            if (stands_in(combination.settings, swept)) continue;
            // Of a layer that there is not, that is told already.
            if (!missing_layer(combination.settings, swept.axis->key).empty()) continue;
            problems_.add(swept.axis->origin,
                          fmt::format("run {} would be called after a value of {} that it does not "
                                      "use: another swept key, or a --set, replaces it",
                                      combination.name, fmt::join(swept.axis->key, ".")));
        }
    }

    static void drop_seeds(Table& settings) {
        Value* train = settings.find("train");
        if (train && train->as<Table>()) train->as<Table>()->erase("seeds");
    }

    RunNames& names_;
    Problems& problems_;
    const std::function<void(Combination)>& take_;
    AxisWords words_;
};

}  // namespace

void expand_runs(const Table& file, const std::vector<Override>& overrides,
                 std::vector<std::string>& notes, Problems& problems,
                 const std::function<void(Combination)>& take) {
    const std::vector<Axis> axes = sweep_axes(file, problems);
    RunNames names(problems);
    BaseRuns reader(file, axes, overrides, notes, names, problems);
    const Value* list = file.find("run");
    const Array* runs = list ? list->as<Array>() : nullptr;
    if (!runs) return;
    const std::vector<BaseRun> bases = reader.read(*runs);
    if (!are_few_enough(bases, problems)) return;
    Expansion expansion(names, problems, take);
    for (const BaseRun& base : bases) expansion.expand(base);
}

}  // namespace lockstep::pipeline
