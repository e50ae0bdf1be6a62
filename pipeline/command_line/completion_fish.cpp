#include <fmt/format.h>

#include <string_view>

#include "pipeline/command_line/completion_words.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kFishHead =
    R"sh(# Completion of lockstep in fish; written by `lockstep completion fish`.
function __lockstep_store
    set -l words (commandline -opc)
    set -l place (contains -i -- --store $words)
    and test (count $words) -gt $place
    and echo $words[(math $place + 1)]
    or echo lockstep-store
end
function __lockstep_runs
    lockstep ls --store (__lockstep_store) --columns name --format csv 2>/dev/null | tail -n +2 | sort -u
end
function __lockstep_experiments
    lockstep ls --experiments --store (__lockstep_store) --columns experiment --format csv 2>/dev/null | tail -n +2
end
function __lockstep_tags
    lockstep ls --store (__lockstep_store) --columns tags --format csv 2>/dev/null | tail -n +2 | string split ' ' --no-empty | sort -u
end
# The last of several columns: the ones before stay.
function __lockstep_columns
    set -l asked $argv[1] --columns all --limit 0
    test $argv[1] = show
    and set asked query 'select * from v_epochs limit 0'
    set -l before (string replace -r '[^,]*$' '' -- (commandline -ct))
    for name in (lockstep $asked --store (__lockstep_store) --format csv 2>/dev/null | string split ,)
        echo $before$name
    end
end
function __lockstep_experiment_files
    complete -C "'' "(commandline -ct) | string match -r '^[^\t]*(?:\.toml|/)(?=\t|$)'
end
complete -c lockstep -f
)sh";

std::string fish_text(std::string_view text) {
    std::string result = "'";
    for (const char byte : text) {
        if (byte == '\'' || byte == '\\') result += '\\';
        result += byte;
    }
    return result + '\'';
}

// The part of `complete` that tells the values.
std::string fish_values(const CommandOption& option, const std::string& verb) {
    switch (option.kind) {
        case ValueKind::words:
            return " -x -a " + fish_text(joined(option.words));
        case ValueKind::directory:
            return " -x -a '(__fish_complete_directories)'";
        case ValueKind::file:
            return " -r -F";
        case ValueKind::experiment_file:
            return " -x -a '(__lockstep_experiment_files)'";
        case ValueKind::run:
            return " -x -a '(__lockstep_runs)'";
        case ValueKind::experiment:
            return " -x -a '(__lockstep_experiments)'";
        case ValueKind::tag:
            return " -x -a '(__lockstep_tags)'";
        case ValueKind::columns:
            return " -x -a '(__lockstep_columns " + verb + ")'";
        case ValueKind::other:
            return " -x";
        case ValueKind::none:
            break;
    }
    return "";
}

// When the words of the line are those of the command, and of none below it.
std::string fish_condition(const Command& command) {
    if (command.path.empty()) return "__fish_use_subcommand";
    std::string text;
    for (const std::string& word : command.path)
        text += (text.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    if (!command.verbs.empty())
        text += "; and not __fish_seen_subcommand_from " + joined(verb_words(command));
    return text;
}

std::string fish_lines(const Command& command) {
    const std::string begin = "complete -c lockstep -n " + fish_text(fish_condition(command));
    std::string text;
    for (const Command& verb : command.verbs)
        text += fmt::format("{} -a {} -d {}\n", begin, verb.path.back(), fish_text(verb.help));
    for (const CommandOption& option : command.options) {
        std::string names;
        for (const std::string& name : option.names)
            names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
        text += fmt::format("{}{} -d {}{}\n", begin, names, fish_text(option.help),
                            fish_values(option, command.name()));
    }
    if (!command.arguments.empty()) {
        const std::string values = fish_values(command.arguments.front(), command.name());
        if (values.starts_with(" -x -a")) text += begin + values.substr(3) + '\n';
        if (values == " -r -F") text += begin + " -F\n";
    }
    return text;
}

}  // namespace

std::string fish_script(const Command& program) {
    std::string text = std::string(kFishHead) + fish_lines(program);
    for (const Command* verb : all_verbs(program)) text += fish_lines(*verb);
    return text;
}

}  // namespace lockstep::pipeline
