#include "pipeline/command_line/command_tree.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sstream>
#include <string_view>
#include <utility>

namespace lockstep::pipeline {
namespace {

// Of "final|best|FILE" those that are to be written as they stand.
std::vector<std::string> words_of(const std::string& value) {
    std::vector<std::string> words;
    std::istringstream text(value);
    for (std::string word; std::getline(text, word, '|');)
        if (word != "FILE") words.push_back(word);
    return words;
}

// By the name that the value has in help: options that take the same are called the same.
ValueKind kind_of(std::string_view name, const std::string& value) {
    const std::string_view called = value.empty() ? name : std::string_view(value);
    if (called.find('|') != std::string_view::npos) return ValueKind::words;
    if (called.starts_with("DIR") || called == "FROM") return ValueKind::directory;
    if (name == "FILE") return ValueKind::experiment_file;
    if (called.starts_with("FILE") || called.starts_with("PATH") || called == "IMAGES")
        return ValueKind::file;
    if (called.starts_with("RUN") || called == "FIRST" || called == "SECOND") return ValueKind::run;
    if (called == "EXPERIMENT" || name == "--experiment") return ValueKind::experiment;
    if (called == "TAG") return ValueKind::tag;
    if (called == "COLUMN,...") return ValueKind::columns;
    return ValueKind::other;
}

CommandOption option_of(const CLI::Option& option) {
    CommandOption result;
    if (option.get_positional()) {
        result.names.push_back(option.get_name());
    } else {
        for (const std::string& name : option.get_snames()) result.names.push_back('-' + name);
        for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
        if (option.get_items_expected_max() > 0) result.value = option.get_type_name();
    }
    result.help = option.get_description();
    result.is_required = option.get_required();
    result.is_list = option.get_expected_max() > 1;
    if (option.get_positional() || !result.value.empty())
        result.kind = kind_of(result.names.back(), result.value);
    if (result.kind == ValueKind::words) result.words = words_of(result.value);
    return result;
}

Command command_of(const CLI::App& app, std::vector<std::string> path) {
    Command command{.path = std::move(path),
                    .help = app.get_description(),
                    .examples = app.get_footer(),
                    .arguments = {},
                    .options = {},
                    .verbs = {}};
    for (const CLI::Option* option : app.get_options()) {
        auto& list = option->get_positional() ? command.arguments : command.options;
        list.push_back(option_of(*option));
    }
    for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
        std::vector<std::string> inner = command.path;
        inner.push_back(verb->get_name());
        command.verbs.push_back(command_of(*verb, std::move(inner)));
    }
    return command;
}

void add_verbs(const Command& command, std::vector<const Command*>& verbs) {
    for (const Command& verb : command.verbs) {
        verbs.push_back(&verb);
        add_verbs(verb, verbs);
    }
}

}  // namespace

std::string Command::name() const { return fmt::format("{}", fmt::join(path, " ")); }

Command command_tree(const CLI::App& app) {
    Command program = command_of(app, {});
    std::vector<std::string> names;
    for (const Command& verb : program.verbs) names.push_back(verb.path.back());
    for (Command& verb : program.verbs) {
        for (CommandOption& argument : verb.arguments) {
            if (argument.names.front() != "VERB") continue;
            argument.kind = ValueKind::words;
            argument.words = names;
        }
    }
    return program;
}

std::vector<const Command*> all_verbs(const Command& program) {
    std::vector<const Command*> verbs;
    add_verbs(program, verbs);
    return verbs;
}

}  // namespace lockstep::pipeline
