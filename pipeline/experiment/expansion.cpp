#include "pipeline/experiment/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "pipeline/experiment/base_runs.hpp"
#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/sweep.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::pipeline {
namespace {

// Of all runs together, counted as settings_size() does: 10,000 runs of 150 settings.
constexpr std::int64_t kMostSettings = 1'500'000;

std::string count_text(std::int64_t count) {
    return count == kManyRuns ? "more than 10^18" : reports::thousands(count);
}

// "sweep of 100 x 20 values, 3 seeds": what makes many runs of one.
std::string multipliers_of(const BaseRun& base) {
    std::vector<std::string> sizes;
    for (const Axis* axis : base.axes)
        sizes.push_back(count_text(static_cast<std::int64_t>(axis->values.size())));
    constexpr std::size_t kShown = 10;
    if (sizes.size() > kShown) sizes.resize(kShown, "...");
    if (sizes.empty()) return "a list of seeds";
    return fmt::format("a sweep of {} values", fmt::join(sizes, " x "));
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
    Expansion(RunNames& names, Problems& problems, const std::function<void(Design)>& take)
        : names_(names), problems_(problems), take_(take) {}

    // Every combination of the swept values, the first key slowest.
    void expand(const BaseRun& base) {
        std::vector<SweptValue> values;
        for (const Axis* axis : base.axes) values.push_back({axis, 0});
        do {
            if (problems_.are_enough()) return;
            add_design(base, values);
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

    void add_design(const BaseRun& base, const std::vector<SweptValue>& values) {
        Design design{base.name, {}, base.origin, base.settings, {}};
        lay_over(design.settings, values);
        for (const Override* one : base.overrides) {
            lay_over(design.settings, nested_table(one->key, one->value));
        }
        const Array seeds = seeds_in(design.settings, problems_);
        drop_seeds(design.settings);
        const std::vector<std::string> parts = parts_of(base, values, seeds.size() > 1);
        design.name = run_name(base.name, parts, "");
        check_values(design, values);
        name_runs(base, design, parts, seeds);
        take_(std::move(design));
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

    void name_runs(const BaseRun& base, Design& design, const std::vector<std::string>& parts,
                   const Array& seeds) {
        if (seeds.empty()) design.runs.push_back({design.name, std::nullopt});
        for (const Value& seed : seeds) {
            const std::string part = seeds.size() == 1 ? "" : "-seed" + plain_text(seed);
            design.runs.push_back({run_name(base.name, parts, part), seed});
        }
        if (!base.is_name_good) return;
        for (const SeededRun& run : design.runs) {
            if (run.name != base.name) names_.take(run.name, base.origin);
        }
    }

    // A name that tells a value which the run does not use would lie.
    void check_values(const Design& design, const std::vector<SweptValue>& values) {
        for (const SweptValue& swept : values) {
            if (stands_in(design.settings, swept)) continue;
            problems_.add(swept.axis->origin,
                          fmt::format("run {} would be called after a value of {} that it does not "
                                      "use: another swept key, or a --set, replaces it",
                                      design.name, fmt::join(swept.axis->key, ".")));
        }
    }

    static void drop_seeds(Table& settings) {
        Value* train = settings.find("train");
        if (train && train->as<Table>()) train->as<Table>()->erase("seeds");
    }

    RunNames& names_;
    Problems& problems_;
    const std::function<void(Design)>& take_;
    AxisWords words_;
};

}  // namespace

void expand_runs(const Table& file, const std::vector<Override>& overrides,
                 std::vector<std::string>& notes, Problems& problems,
                 const std::function<void(Design)>& take) {
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
