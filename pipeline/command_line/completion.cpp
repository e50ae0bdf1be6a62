#include "pipeline/command_line/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>

#include "pipeline/command_line/completion_words.hpp"

namespace lockstep::pipeline {

std::string single_quoted(std::string_view text) {
    std::string result = "'";
    for (const char byte : text) {
        if (byte == '\'')
            result += "'\\''";
        else
            result += byte;
    }
    return result + '\'';
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    return fmt::format("{}", fmt::join(words, between));
}

std::vector<std::string> verb_words(const Command& command) {
    std::vector<std::string> words;
    for (const Command& verb : command.verbs) words.push_back(verb.path.back());
    return words;
}

std::vector<std::string> option_words(const Command& command) {
    std::vector<std::string> words;
    for (const CommandOption& option : command.options)
        words.insert(words.end(), option.names.begin(), option.names.end());
    return words;
}

std::string completion_script(const Command& program, Shell shell) {
    switch (shell) {
        case Shell::zsh:
            return zsh_script(program);
        case Shell::fish:
            return fish_script(program);
        case Shell::bash:
            break;
    }
    return bash_script(program);
}

}  // namespace lockstep::pipeline
