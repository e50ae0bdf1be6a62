#include "pipeline/experiment/expansion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/sweep.hpp"
#include "pipeline/settings/table_reader.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostRuns = 10'000;  // of one experiment, expanded
// The names of an experiment, each once; those that differ in case only would share a folder on
// some file systems.
class Names {
public:
    explicit Names(Problems& problems) : problems_(problems) {}

    bool take(const std::string& name, const Origin& origin) {
        std::string lower = name;
        for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        const auto [entry, is_new] = taken_.emplace(lower, name);
        if (is_new) return true;
        problems_.add(origin, entry->second == name
                                  ? fmt::format("there is another run named {}", toml_string(name))
                                  : fmt::format("the run names {} and {} differ in case only",
                                                toml_string(entry->second), toml_string(name)));
        return false;
    }

private:
    Problems& problems_;
    std::map<std::string, std::string> taken_;
};

// The seeds of one run: `seeds`, checked, or none where there is no such list.
std::vector<Value> seeds_of(const Table& settings, Problems& problems) {
    const Value* train = settings.find("train");
    const Table* table = train ? train->as<Table>() : nullptr;
    const Value* seeds = table ? table->find("seeds") : nullptr;
    if (!seeds || seeds->as<Unusable>()) return {};
    const Array* list = seeds->as<Array>();
    std::set<std::int64_t> distinct;
    bool is_good = list && !list->empty();
    for (std::size_t i = 0; is_good && i < list->size(); ++i) {
        const auto* seed = (*list)[i].as<std::int64_t>();
        is_good = seed && *seed >= kSeeds.least && distinct.insert(*seed).second;
    }
    if (is_good) return *list;
    problems.add(seeds->origin, "seeds must be a list of different whole numbers, each at least 0");
    return {};
}

void refuse_seed_and_seeds(const Table& settings, Problems& problems) {
    const Value* train = settings.find("train");
    const Table* table = train ? train->as<Table>() : nullptr;
    if (!table || !table->find("seed") || !table->find("seeds")) return;
    problems.add(table->find("seed")->origin, "give either seed or seeds, not both");
}

class Expansion {
public:
    Expansion(const Table& file, const std::vector<Override>& overrides, Problems& problems)
        : overrides_(overrides), problems_(problems), names_(problems) {
        for (const std::string_view key : kInheritedTables) inherit(file, std::string(key));
        refuse_seed_and_seeds(defaults_, problems_);
        axes_ = sweep_axes(file, problems_);
    }

    void expand(const Value& run, std::size_t index) {
        const Table* table = run.as<Table>();
        if (!table) {
            if (!run.as<Unusable>()) problems_.add(run.origin, "a run must be a table");
            return;
        }
        base_name_ = name_of(run, *table, index);
        run_origin_ = run.origin;
        refuse_seed_and_seeds(*table, problems_);
        Table settings = defaults_;
        lay_over(settings, *table);
        std::vector<Axis> axes;
        std::copy_if(axes_.begin(), axes_.end(), std::back_inserter(axes),
                     [this](const Axis& axis) { return !is_overridden(axis.key); });
        combine(axes, 0, settings, base_name_);
    }

    std::vector<ExpandedRun> take_runs() { return std::move(runs_); }

private:
    void inherit(const Table& file, const std::string& key) {
        const Value* value = file.find(key);
        if (!value || value->as<Unusable>()) return;
        const auto* word = value->as<std::string>();
        if (value->as<Table>() || (key == "checkpoint" && word && *word == "none")) {
            lay_over(defaults_, nested_table({key}, *value));
        } else {
            problems_.add(value->origin, fmt::format("{} must be a table: [{}]", key, key));
        }
    }

    std::string name_of(const Value& run, const Table& table, std::size_t index) {
        const Value* name = table.find("name");
        const auto* text = name ? name->as<std::string>() : nullptr;
        if (text && storage::is_safe_name(*text)) {
            is_name_good_ = names_.take(*text, name->origin);
            return *text;
        }
        is_name_good_ = false;  // and a name of our own, to go on looking for problems
        if (!name) {
            problems_.add(run.origin, "a run needs a name");
        } else if (!name->as<Unusable>()) {
            problems_.add(name->origin,
                          fmt::format("name must be {}, not {}", kNameRule, described(*name)));
        }
        return fmt::format("run{}", index + 1);
    }

    bool concerns_this_run(const Override& one) const {
        return one.run.empty() || one.run == base_name_;
    }

    bool is_overridden(const std::vector<std::string>& key) const {
        return std::any_of(overrides_.begin(), overrides_.end(), [&](const Override& one) {
            return concerns_this_run(one) && one.key == key;
        });
    }

    // Settles the axes from `first` on, each value in turn.
    void combine(const std::vector<Axis>& axes, std::size_t first, const Table& settings,
                 const std::string& name) {
        if (first == axes.size()) return add_seeds(settings, name);
        const Axis& axis = axes[first];
        for (std::size_t i = 0; i < axis.values->size() && runs_.size() <= kMostRuns; ++i) {
            Value value = (*axis.values)[i];
            value.origin.kind =
                value.origin.kind == Origin::Kind::file ? Origin::Kind::sweep : value.origin.kind;
            Table swept = settings;
            lay_over(swept, nested_table(axis.key, std::move(value)));
            combine(axes, first + 1, swept, name + name_part(axis, i));
        }
    }

    void add_seeds(Table settings, const std::string& name) {
        for (const bool is_for_one_run : {false, true}) {
            for (const Override& one : overrides_) {
                if (concerns_this_run(one) && one.run.empty() != is_for_one_run) {
                    lay_over(settings, nested_table(one.key, one.value));
                }
            }
        }
        const std::vector<Value> seeds = seeds_of(settings, problems_);
        if (seeds.empty()) {
            drop_seeds(settings);
            return add(std::move(settings), name, name);
        }
        for (const Value& seed : seeds) {
            Table seeded = settings;
            lay_over(seeded, nested_table({"train", "seed"}, seed));
            add(std::move(seeded),
                seeds.size() == 1 ? name : fmt::format("{}-seed{}", name, described(seed)), name);
        }
    }

    static void drop_seeds(Table& settings) {
        Value* train = settings.find("train");
        if (train && train->as<Table>()) train->as<Table>()->erase("seeds");
    }

    void add(Table settings, const std::string& name, const std::string& design_name) {
        if (runs_.size() == kMostRuns) {
            problems_.add(run_origin_,
                          fmt::format("the experiment has more than {} runs", kMostRuns));
        }
        if (runs_.size() >= kMostRuns) return;
        if (is_name_good_ && name != base_name_) {
            if (storage::is_safe_name(name)) {
                names_.take(name, run_origin_);
            } else {
                problems_.add(run_origin_,
                              fmt::format("the name of its run {} is longer than 64 characters",
                                          toml_string(name)));
            }
        }
        runs_.push_back({name, base_name_, design_name, run_origin_, std::move(settings)});
    }

    const std::vector<Override>& overrides_;
    Problems& problems_;
    Names names_;
    Table defaults_;
    std::vector<Axis> axes_;
    std::vector<ExpandedRun> runs_;
    // of the run that is being expanded
    std::string base_name_;
    bool is_name_good_ = true;
    Origin run_origin_;
};

const Array* runs_in(const Table& file) {
    const Value* runs = file.find("run");
    return runs ? runs->as<Array>() : nullptr;
}

}  // namespace

std::vector<ExpandedRun> expand_runs(const Table& file, const std::vector<Override>& overrides,
                                     Problems& problems) {
    Expansion expansion(file, overrides, problems);
    const Array* runs = runs_in(file);
    for (std::size_t i = 0; runs && i < runs->size() && i <= kMostRuns; ++i) {
        expansion.expand((*runs)[i], i);
    }
    return expansion.take_runs();
}

}  // namespace lockstep::pipeline
