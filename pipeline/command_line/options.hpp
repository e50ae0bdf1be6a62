#pragma once

// Options that several verbs have, as CLI11 takes them.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/store/row_options.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

// A word out of a few.
template <class Value>
struct Choice {
    std::string word;
    Value value;
};

template <class Value>
void add_choice(CLI::App& verb, const std::string& name, Value& value,
                const std::vector<Choice<Value>>& choices, const std::string& help) {
    std::string words;
    for (const Choice<Value>& choice : choices) words += (words.empty() ? "" : "|") + choice.word;
    const auto choose = [&value, choices, name, words](const std::string& word) {
        for (const Choice<Value>& choice : choices) {
            if (choice.word == word) return static_cast<void>(value = choice.value);
        }
        throw CLI::ValidationError(name, fmt::format("\"{}\" is none of {}", word, words));
    };
    verb.add_option_function<std::string>(name, choose, help)
        ->type_name(words)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

// --format table|csv|json|md
void add_format(CLI::App& verb, reports::TableFormat& format);

// Each mention takes one value: `--only a --only b FILE`.
void add_list(CLI::App& verb, const std::string& name, std::vector<std::string>& values,
              const std::string& value_name, const std::string& help);

// --store DIR
void add_store(CLI::App& verb, std::filesystem::path& store);

// EXPERIMENT, or --experiment NAME as other verbs have it.
void add_experiment(CLI::App& verb, std::string& experiment, const std::string& help);

// --where EXPRESSION; of several mentions all have to hold.
void add_where(CLI::App& verb, std::string& where, const std::string& help);

// Options of verbs that show rows of a table: --where, --sort, --columns, --limit.
void add_rows(CLI::App& verb, RowOptions& rows);

// --set and --data.
void add_settings(CLI::App& verb, std::vector<std::string>& settings,
                  std::optional<std::filesystem::path>& data);

// FILE, --only, --set, --data.
void add_spec(CLI::App& verb, SpecOptions& spec);

// The weights that a verb works on: RUN_OR_WEIGHTS, --weights, --file, --run, --set, --data,
// --store.
void add_saved_network(CLI::App& verb, SavedNetworkOptions& network);

// A positional argument: shown in the usage by its name alone.
template <class Value>
void add_positional(CLI::App& verb, const std::string& name, Value& value,
                    const std::string& help) {
    verb.add_option(name, value, help)->type_name("");
}
template <class Value>
void add_required(CLI::App& verb, const std::string& name, Value& value, const std::string& help) {
    verb.add_option(name, value, help)->required()->type_name("");
}

}  // namespace lockstep::pipeline
