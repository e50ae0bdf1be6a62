#include <fmt/format.h>

#include <string_view>

#include "pipeline/command_line/completion_words.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::string_view kBashHead =
    R"sh(# Completion of lockstep in bash; written by `lockstep completion bash`.
_lockstep_store() {
    local i
    for ((i = 1; i + 1 < ${#COMP_WORDS[@]}; ++i)); do
        [[ ${COMP_WORDS[i]} == --store ]] || continue
        [[ ${COMP_WORDS[i + 1]} == = ]] && ((++i))
        printf '%s' "${COMP_WORDS[i + 1]}" && return
    done
    printf lockstep-store
}
# Only what names of ours look like: compgen expands its words, and a store may be anybody's.
_lockstep_runs() {
    lockstep ls --store "$(_lockstep_store)" --columns name --format csv 2>/dev/null | tail -n +2 | sort -u | grep -xE '[A-Za-z0-9._-]+'
}
_lockstep_experiments() {
    lockstep ls --experiments --store "$(_lockstep_store)" --columns experiment --format csv \
        2>/dev/null | tail -n +2 | grep -xE '[A-Za-z0-9._-]+'
}
_lockstep_tags() {
    lockstep ls --store "$(_lockstep_store)" --columns tags --format csv 2>/dev/null | tail -n +2 | tr ' ' '\n' | sort -u | grep -xE '[A-Za-z0-9._-]+'
}
_lockstep_columns() {
    if [[ $1 == show ]]; then
        lockstep query 'select * from v_epochs limit 0' --store "$(_lockstep_store)" --format csv
    else
        lockstep "$1" --store "$(_lockstep_store)" --columns all --limit 0 --format csv
    fi 2>/dev/null | tr ',' '\n' | grep -xE '[A-Za-z0-9._-]+'
}
# The last of several columns: the ones before stay.
_lockstep_complete_columns() {
    local last=${cur##*,} i
    mapfile -t COMPREPLY < <(compgen -W "$(_lockstep_columns "$verb")" -- "$last")
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${cur%"$last"}${COMPREPLY[i]}; done
    compopt -o nospace 2>/dev/null
}
_lockstep() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb= i
    COMPREPLY=()
    # Bash takes --store=DIR for three words.
    if [[ $cur == = ]]; then cur=
    elif [[ $prev == = && $COMP_CWORD -gt 2 ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi
)sh";

// What fills COMPREPLY with the values of a kind.
std::string bash_values(const CommandOption& option) {
    switch (option.kind) {
        case ValueKind::words:
            return fmt::format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$cur\")",
                               single_quoted(joined(option.words)));
        case ValueKind::directory:
            return "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")";
        case ValueKind::file:
            return "mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
        case ValueKind::experiment_file:
            return "mapfile -t COMPREPLY < <(compgen -f -X '!*.toml' -- \"$cur\"; compgen -d "
                   "-- "
                   "\"$cur\")";
        case ValueKind::run:
            return "mapfile -t COMPREPLY < <(compgen -W \"$(_lockstep_runs)\" -- \"$cur\")";
        case ValueKind::experiment:
            return "mapfile -t COMPREPLY < <(compgen -W \"$(_lockstep_experiments)\" -- "
                   "\"$cur\")";
        case ValueKind::tag:
            return "mapfile -t COMPREPLY < <(compgen -W \"$(_lockstep_tags)\" -- \"$cur\")";
        case ValueKind::columns:
            return "_lockstep_complete_columns";
        case ValueKind::none:
        case ValueKind::other:
            break;
    }
    return ":";
}

std::string bash_option_values(const std::vector<const Command*>& verbs) {
    std::string text = "    case \"$verb:$prev\" in\n";
    for (const Command* verb : verbs) {
        for (const CommandOption& option : verb->options) {
            if (option.kind == ValueKind::none) continue;
            for (const std::string& name : option.names)
                text += fmt::format("        {}) {}; return ;;\n",
                                    single_quoted(verb->name() + ':' + name), bash_values(option));
        }
    }
    return text + "    esac\n";
}

std::string bash_words(const Command& command) {
    const std::string name = single_quoted(command.name());
    std::string text = fmt::format(
        "        {}) if [[ $cur == -* ]]; then mapfile -t COMPREPLY < <(compgen -W {} -- "
        "\"$cur\")\n",
        name, single_quoted(joined(option_words(command))));
    std::string others = ":";
    if (!command.verbs.empty()) {
        others = fmt::format("mapfile -t COMPREPLY < <(compgen -W {} -- \"$cur\")",
                             single_quoted(joined(verb_words(command))));
    } else if (!command.arguments.empty()) {
        others = bash_values(command.arguments.front());
    }
    return text + fmt::format("            else {}; fi ;;\n", others);
}

}  // namespace

std::string bash_script(const Command& program) {
    const std::vector<const Command*> verbs = all_verbs(program);
    std::vector<std::string> paths;
    for (const Command* verb : verbs) {
        const std::vector<std::string> above(verb->path.begin(), verb->path.end() - 1);
        paths.push_back(single_quoted(joined(above) + ' ' + verb->path.back()));
    }
    std::string text(kBashHead);
    text += fmt::format(
        "    for ((i = 1; i < COMP_CWORD; ++i)); do\n"
        "        case \"$verb ${{COMP_WORDS[i]}}\" in\n"
        "            {}) verb=${{verb:+$verb }}${{COMP_WORDS[i]}} ;;\n"
        "        esac\n    done\n",
        joined(paths, " | "));
    text += bash_option_values(verbs) + "    case \"$verb\" in\n" + bash_words(program);
    for (const Command* verb : verbs) text += bash_words(*verb);
    return text + "    esac\n}\ncomplete -F _lockstep lockstep\n";
}

}  // namespace lockstep::pipeline
