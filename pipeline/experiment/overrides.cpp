// `--set key=value` (expansion.hpp).

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "pipeline/experiment/expansion.hpp"
#include "pipeline/experiment/inheritance.hpp"
#include "pipeline/experiment/layer_settings.hpp"
#include "pipeline/settings/keys.hpp"
#include "pipeline/settings/suggestion.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostOverrides = 200;

constexpr std::array<std::string_view, 8> kOverridableTables{
    "data", "train", "parallel", "checkpoint", "experiment", "sweep", "run", "layers"};

std::vector<std::string> run_names(const Table& file) {
    std::vector<std::string> names;
    const Value* runs = file.find("run");
    const Array* list = runs ? runs->as<Array>() : nullptr;
    if (!list) return names;
    for (const Value& run : *list) {
        const Table* table = run.as<Table>();
        const Value* name = table ? table->find("name") : nullptr;
        if (name && name->as<std::string>()) names.push_back(*name->as<std::string>());
    }
    return names;
}

class OverrideReader {
public:
    OverrideReader(Table& file, Problems& problems)
        : file_(file), problems_(problems), names_(run_names(file)) {}

    std::optional<Override> read(const std::string& text) {
        const std::size_t equals = text.find('=');
        if (equals == std::string::npos || equals == 0) {
            return refuse(text, "must be KEY=VALUE, as in train.epochs=2");
        }
        const std::string key = trimmed(text.substr(0, equals));
        if (std::count(key.begin(), key.end(), '.') > kMostLevels) {
            return refuse(text, fmt::format("nested more than {} levels deep", kMostLevels));
        }
        Value value = parse_override_value(trimmed(text.substr(equals + 1)), text, problems_);
        const std::string table = split_key(key).front();
        if (table == "run") return for_one_run(text, key, std::move(value));
        if (table == "sweep") return set_in_file(text, "sweep", key, std::move(value));
        if (table == "experiment") return set_in_file(text, "experiment", key, std::move(value));
        return checked(text, {}, split_key(key), std::move(value));
    }

private:
    static std::string trimmed(const std::string& text) {
        const std::size_t begin = text.find_first_not_of(" \t");
        if (begin == std::string::npos) return {};
        return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
    }

    std::nullopt_t refuse(const std::string& text, const std::string& message) {
        problems_.add({Origin::Kind::set, text, 0, 0}, message);
        return std::nullopt;
    }

    // run.NAME.KEY: names may contain dots, so the longest name that fits is meant.
    std::optional<Override> for_one_run(const std::string& text, const std::string& key,
                                        Value value) {
        const std::string rest = key.size() > 4 ? key.substr(4) : std::string();
        std::string best;
        for (const std::string& name : names_) {
            const bool fits = rest.starts_with(name) && rest.substr(name.size(), 1) == ".";
            if (fits && name.size() > best.size()) best = name;
        }
        if (best.empty()) {
            const std::string name = split_key(rest).front();
            const std::vector<std::string_view> known(names_.begin(), names_.end());
            return refuse(text, fmt::format("there is no run named {}{}", quoted_text(name),
                                            did_you_mean(name, known)));
        }
        std::vector<std::string> inner = split_key(rest.substr(best.size() + 1));
        if (inner.size() == 1 && inner[0] != "name" && inner[0] != "layers") {
            return Override{best, std::move(inner), std::move(value)};  // title, source, expect
        }
        return checked(text, best, std::move(inner), std::move(value));
    }

    std::optional<Override> checked(const std::string& text, const std::string& run,
                                    std::vector<std::string> key, Value value) {
        key = with_layer_name(std::move(key));
        if (is_layer_setting(key)) return Override{run, std::move(key), std::move(value)};
        if (key.front() == "layers") {
            return refuse(text,
                          "of layers one setting can be set: layers.NAME.KEY=VALUE, but not "
                          "its type or name");
        }
        const std::span<const std::string_view> settings(kOverridableTables.data(), 4);
        const bool is_known =
            std::find(settings.begin(), settings.end(), key.front()) != settings.end();
        const bool is_complete = key.size() > 1 || key.front() == "checkpoint" || value.as<Table>();
        if (is_known && is_complete) return Override{run, std::move(key), std::move(value)};
        if (is_known) {
            return refuse(text, fmt::format("name a key in {0}, as in {0}.KEY=VALUE", key.front()));
        }
        std::string hint = meant_setting(key, text.substr(text.find('=') + 1));
        if (hint.empty()) hint = did_you_mean(key.front(), kOverridableTables);
        if (hint.empty())
            hint =
                "; a key begins with data., train., parallel., checkpoint., layers., "
                "experiment., sweep. or run.NAME.";
        return refuse(text, fmt::format("unknown key {}{}", quoted_text(key.front()), hint));
    }

    // A key of [train] or [data] without its table.
    static std::string meant_setting(const std::vector<std::string>& key,
                                     const std::string& value) {
        constexpr std::array<std::pair<std::string_view, KeyGroup>, 2> kTables{
            {{"train", KeyGroup::train}, {"data", KeyGroup::data}}};
        for (const auto& [table, group] : kTables)
            if (std::ranges::find(keys_of(group).keys, key.front()) != keys_of(group).keys.end())
                return fmt::format("; did you mean {}.{}={}?", table, fmt::join(key, "."), value);
        return {};
    }

    std::nullopt_t set_in_file(const std::string& text, const std::string& table,
                               const std::string& key, Value value) {
        if (key.size() <= table.size() + 1) {
            return refuse(text, fmt::format("name a key in {}", table));
        }
        Value* found = file_.find(table);
        Table* target = found ? found->as<Table>() : nullptr;
        if (!target) {
            file_.set(table, {value.origin, Table{}});
            target = file_.find(table)->as<Table>();
        }
        const std::string inner = key.substr(table.size() + 1);
        if (table == "sweep") erase(*target, split_key(inner));
        target->set(inner, std::move(value));
        return std::nullopt;
    }

    // A swept key that the file wrote without quotes lies in tables.
    static void erase(Table& table, const std::vector<std::string>& key) {
        Table* holder = &table;
        for (std::size_t i = 0; holder && i + 1 < key.size(); ++i) {
            Value* inner = holder->find(key[i]);
            holder = inner ? inner->as<Table>() : nullptr;
        }
        if (holder) holder->erase(key.back());
    }

    Table& file_;
    Problems& problems_;
    std::vector<std::string> names_;
};

}  // namespace

std::vector<Override> apply_overrides(Table& file, const std::vector<std::string>& texts,
                                      Problems& problems) {
    OverrideReader reader(file, problems);
    std::vector<Override> overrides;
    if (texts.size() > kMostOverrides) {
        problems.add({Origin::Kind::set, texts.back(), 0, 0},
                     fmt::format("there are {} --set; at most {} are taken: write a file",
                                 texts.size(), kMostOverrides));
        return overrides;
    }
    for (const std::string& text : texts) {
        if (auto one = reader.read(text)) overrides.push_back(std::move(*one));
    }
    return overrides;
}

}  // namespace lockstep::pipeline
