#pragma once

// The verbs and options as plain values, read off the parser: what help for shells and man(1) is
// made of. So there is one table of options, the parser's.

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace lockstep::pipeline {

// What an option or argument takes, as a shell completes it.
enum class ValueKind {
    none,
    words,
    directory,
    file,
    experiment_file,
    run,
    experiment,
    tag,
    columns,  // of the verb's table, with commas between
    other
};

struct CommandOption {
    std::vector<std::string> names;  // "-q", "--quiet"; of an argument its name, "FILE"
    std::string value;               // "DIR", "auto|bar|none"; empty: takes none
    std::string help;
    ValueKind kind = ValueKind::none;
    std::vector<std::string> words;  // to choose from, of ValueKind::words
    bool is_required = false;
    bool is_list = false;
};

struct Command {
    std::vector<std::string> path;  // {"export", "weights"}; empty: the program
    std::string help;
    std::string examples;
    std::vector<CommandOption> arguments;
    std::vector<CommandOption> options;
    std::vector<Command> verbs;

    std::string name() const;  // "export weights"
};

Command command_tree(const CLI::App& app);

// The program's verbs and those of verbs, each behind the one that it belongs to.
std::vector<const Command*> all_verbs(const Command& program);

}  // namespace lockstep::pipeline
