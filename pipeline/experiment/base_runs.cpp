#include "pipeline/experiment/base_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/settings/table_reader.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

// Of the base runs of a file, counted as settings_size() does: far beyond a file that people write.
constexpr std::int64_t kMostInherited = 1'000'000;

std::int64_t size_of(const Value& value) {
    constexpr std::size_t kLetters = 64;  // of a text that counts as one value
    if (const Table* table = value.as<Table>()) return settings_size(*table);
    if (const Array* list = value.as<Array>()) {
        std::int64_t size = 1;
        for (const Value& element : *list) size += size_of(element);
        return size;
    }
    const auto* text = value.as<std::string>();
    return 1 + static_cast<std::int64_t>(text ? text->size() / kLetters : 0);
}

// Saturates at kManyRuns.
std::int64_t product(std::int64_t a, std::int64_t b) {
    return a > 0 && b > kManyRuns / a ? kManyRuns : a * b;
}

const Table* train_of(const Table& settings) {
    const Value* train = settings.find("train");
    return train ? train->as<Table>() : nullptr;
}

void refuse_seed_and_seeds(const Table& settings, Problems& problems) {
    const Table* train = train_of(settings);
    if (!train || !train->find("seed") || !train->find("seeds")) return;
    problems.add(train->find("seed")->origin, "give either seed or seeds, not both");
}

// The first that is no seed, or is there twice; null if there is none.
const Value* wrong_seed(const Array& seeds) {
    std::set<std::int64_t> distinct;
    const auto wrong = std::find_if(seeds.begin(), seeds.end(), [&](const Value& element) {
        const auto* seed = element.as<std::int64_t>();
        return !seed || *seed < kSeeds.least || !distinct.insert(*seed).second;
    });
    return wrong == seeds.end() ? nullptr : wrong;
}

std::string dotted(const std::vector<std::string>& key) {
    return fmt::format("{}", fmt::join(key, "."));
}

}  // namespace

Array seeds_in(const Table& settings, Problems& problems) {
    const Table* train = train_of(settings);
    const Value* seeds = train ? train->find("seeds") : nullptr;
    if (!seeds || seeds->as<Unusable>()) return {};
    const Array* list = seeds->as<Array>();
    const Value* wrong = list && !list->empty() ? wrong_seed(*list) : seeds;
    if (!wrong) return *list;
    problems.add(
        seeds->origin,
        fmt::format("seeds must be a list of different whole numbers, each at least 0, not "
                    "{}",
                    list && list->empty() ? "an empty list" : described(*wrong)));
    return {};
}

std::int64_t settings_size(const Table& table) {
    std::int64_t size = 1;
    for (const Entry& entry : table.entries()) {
        if (entry.key != "seeds") size += size_of(entry.value);  // no run keeps the list
    }
    return size;
}

BaseRuns::BaseRuns(const Table& file, const std::vector<Axis>& axes,
                   const std::vector<Override>& overrides, std::vector<std::string>& notes,
                   RunNames& names, Problems& problems)
    : axes_(axes), overrides_(overrides), notes_(notes), names_(names), problems_(problems) {
    for (const std::string_view key : kInheritedTables) inherit(file, std::string(key));
    refuse_seed_and_seeds(defaults_, problems_);
}

void BaseRuns::inherit(const Table& file, const std::string& key) {
    const Value* value = file.find(key);
    if (!value || value->as<Unusable>()) return;
    const auto* word = value->as<std::string>();
    if (value->as<Table>() || (key == "checkpoint" && word && *word == "none")) {
        lay_over(defaults_, nested_table({key}, *value));
    } else {
        problems_.add(value->origin, fmt::format("{} must be a table: [{}]", key, key));
    }
}

std::vector<BaseRun> BaseRuns::read(const Array& runs) {
    std::vector<BaseRun> read_ones;
    const auto inherited = settings_size(defaults_) + static_cast<std::int64_t>(overrides_.size());
    if (!runs.empty() &&
        product(static_cast<std::int64_t>(runs.size()), inherited) > kMostInherited) {
        problems_.add(runs[0].origin,
                      fmt::format("{} runs inherit {} settings each; that is too much to read",
                                  runs.size(), inherited));
        return read_ones;
    }
    for (std::size_t i = 0; i < runs.size() && !problems_.are_enough(); ++i) {
        if (const Table* table = runs[i].as<Table>()) {
            read_ones.push_back(read(runs[i], *table, i));
        } else if (!runs[i].as<Unusable>()) {
            problems_.add(runs[i].origin, "a run must be a table");
        }
    }
    return read_ones;
}

BaseRun BaseRuns::read(const Value& run, const Table& table, std::size_t index) {
    BaseRun base;
    base.origin = run.origin;
    take_name(base, table, index);
    refuse_seed_and_seeds(table, problems_);
    base.settings = defaults_;
    lay_over(base.settings, table);
    for (const bool is_for_one_run : {false, true}) {
        for (const Override& one : overrides_) {
            const bool concerns_it = one.run.empty() || one.run == base.name;
            if (concerns_it && one.run.empty() != is_for_one_run) base.overrides.push_back(&one);
        }
    }
    take_axes(base);
    refuse_missing_layers(base);
    count(base);
    return base;
}

void BaseRuns::refuse_missing_layers(const BaseRun& base) {
    const auto refuse = [&](const std::vector<std::string>& key, const Origin& origin) {
        const std::string missing = missing_layer(base.settings, key);
        if (!missing.empty())
            problems_.add(origin, fmt::format("{}: in run {} {}", dotted(key), base.name, missing));
    };
    for (const Axis* axis : base.axes) refuse(axis->key, axis->origin);
    for (const Override* one : base.overrides) refuse(one->key, one->value.origin);
}

void BaseRuns::take_name(BaseRun& base, const Table& table, std::size_t index) {
    const Value* name = table.find("name");
    const auto* text = name ? name->as<std::string>() : nullptr;
    if (text && storage::is_safe_name(*text)) {
        base.name = *text;
        base.is_name_good = names_.take(*text, name->origin);
        return;
    }
    base.name = fmt::format("run{}", index + 1);
    base.is_name_good = false;
    if (!name) {
        problems_.add(base.origin, "a run needs a name");
    } else if (!name->as<Unusable>()) {
        problems_.add(name->origin,
                      fmt::format("name must be {}, not {}", kNameRule, described(*name)));
    }
}

void BaseRuns::take_axes(BaseRun& base) {
    for (const Axis& axis : axes_) {
        const Override* one = replacing(base, axis);
        if (!one) {
            base.axes.push_back(&axis);
            continue;
        }
        const std::string note =
            fmt::format("--set {}{} replaces the swept {}, which is no longer swept",
                        one->run.empty() ? "" : fmt::format("run.{}.", one->run), dotted(one->key),
                        dotted(axis.key));
        if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(note);
    }
}

// Tried with the first of its values: what a `--set` replaces of one it replaces of all.
const Override* BaseRuns::replacing(const BaseRun& base, const Axis& axis) const {
    if (base.overrides.empty()) return nullptr;
    Table settings = base.settings;
    const SweptValue swept{&axis, 0};
    lay_over(settings, std::vector<SweptValue>{swept});
    for (const Override* one : base.overrides) {
        lay_over(settings, nested_table(one->key, one->value));
        if (!stands_in(settings, swept)) return one;
    }
    return nullptr;
}

void BaseRuns::count(BaseRun& base) {
    Table settings = base.settings;
    std::vector<SweptValue> first;
    for (const Axis* axis : base.axes) {
        base.runs = product(base.runs, static_cast<std::int64_t>(axis->values.size()));
        first.push_back({axis, 0});
    }
    lay_over(settings, first);
    for (const Override* one : base.overrides)
        lay_over(settings, nested_table(one->key, one->value));
    base.seeds = static_cast<std::int64_t>(seeds_in(settings, problems_).size());
    base.runs = product(base.runs, std::max<std::int64_t>(base.seeds, 1));
    base.size = settings_size(settings) + static_cast<std::int64_t>(base.overrides.size());
}

}  // namespace lockstep::pipeline
