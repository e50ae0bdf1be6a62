#include <fmt/format.h>

#include <string_view>

#include "pipeline/command_line/completion_words.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kZshHead = R"sh(#compdef lockstep
# Completion of lockstep in zsh; written by `lockstep completion zsh`.
_lockstep_names() {
    local -a names
    names=(${(fu)"$(lockstep ls --store ${opt_args[--store]:-lockstep-store} --format csv "$@" 2>/dev/null | tail -n +2)"})
    compadd -a names
}
_lockstep_runs() { _lockstep_names --columns name }
_lockstep_experiments() { _lockstep_names --experiments --columns experiment }
_lockstep_tags() {
    local -a names
    names=(${(u)=${(f)"$(lockstep ls --store ${opt_args[--store]:-lockstep-store} --columns tags --format csv 2>/dev/null | tail -n +2)"}})
    compadd -a names
}
_lockstep_columns() {
    local -a names asked=(ls --columns all --limit 0)
    [[ $1 == show ]] && asked=(query 'select * from v_epochs limit 0')
    [[ $1 == compare ]] && asked[1]=compare
    names=(${(s:,:)"$(lockstep $asked --store ${opt_args[--store]:-lockstep-store} --format csv 2>/dev/null)"})
    compset -P '*,'
    compadd -S '' -a names
}
)sh";

// Text inside of a specification of _arguments or _describe.
std::string zsh_text(std::string_view text) {
    std::string result;
    for (const char byte : text) {
        if (std::string_view("[]:\\").find(byte) != std::string_view::npos) result += '\\';
        result += byte;
    }
    return result;
}

std::string zsh_action(const CommandOption& option, const std::string& verb) {
    switch (option.kind) {
        case ValueKind::words:
            return fmt::format("({})", joined(option.words));
        case ValueKind::directory:
            return "_files -/";
        case ValueKind::file:
            return "_files";
        case ValueKind::experiment_file:
            return "_files -g \"*.toml\"";
        case ValueKind::run:
            return "_lockstep_runs";
        case ValueKind::experiment:
            return "_lockstep_experiments";
        case ValueKind::tag:
            return "_lockstep_tags";
        case ValueKind::columns:
            return "_lockstep_columns " + verb;
        case ValueKind::none:
        case ValueKind::other:
            break;
    }
    return " ";
}

std::string zsh_specs(const Command& command) {
    std::string text;
    for (const CommandOption& option : command.options) {
        for (const std::string& name : option.names) {
            std::string spec =
                fmt::format("{}{}[{}]", option.is_list ? "*" : "", name, zsh_text(option.help));
            if (option.kind != ValueKind::none)
                spec += fmt::format(":{}:{}", zsh_text(option.value),
                                    zsh_action(option, command.name()));
            text += " \\\n        " + single_quoted(spec);
        }
    }
    for (const CommandOption& argument : command.arguments) {
        text += " \\\n        " + single_quoted(fmt::format("{}:{}:{}", argument.is_list ? "*" : "",
                                                            zsh_text(argument.names.front()),
                                                            zsh_action(argument, command.name())));
    }
    return text;
}

std::string zsh_function_name(const Command& command) {
    return command.path.empty() ? "_lockstep" : "_lockstep_verb_" + joined(command.path, "_");
}

std::string zsh_function(const Command& command) {
    std::string text = zsh_function_name(command) + "() {\n";
    if (command.verbs.empty()) return text + "    _arguments -s" + zsh_specs(command) + "\n}\n";
    text += "    local curcontext=$curcontext state line\n    typeset -A opt_args\n";
    text += "    _arguments -C" + zsh_specs(command) + " \\\n        '1: :->verb' '*:: :->rest'\n";
    text += "    case $state in\n        verb)\n            local -a verbs=(\n";
    for (const Command& verb : command.verbs)
        text += fmt::format("                {}\n",
                            single_quoted(verb.path.back() + ':' + zsh_text(verb.help)));
    text +=
        "            )\n            _describe verb verbs ;;\n        rest)\n"
        "            case $words[1] in\n";
    for (const Command& verb : command.verbs)
        text +=
            fmt::format("                {}) {} ;;\n", verb.path.back(), zsh_function_name(verb));
    return text + "            esac ;;\n    esac\n}\n";
}

}  // namespace

std::string zsh_script(const Command& program) {
    std::string text(kZshHead);
    for (const Command* verb : all_verbs(program)) text += zsh_function(*verb);
    return text + zsh_function(program) +
           "if [[ $funcstack[1] == _lockstep ]]; then\n    _lockstep \"$@\"\nelse\n    compdef "
           "_lockstep lockstep\nfi\n";
}

}  // namespace lockstep::pipeline
