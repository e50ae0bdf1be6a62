#pragma once

// What the scripts of all shells are made of (completion.hpp).

#include <string>
#include <string_view>
#include <vector>

#include "pipeline/command_line/command_tree.hpp"

namespace lockstep::pipeline {

// For bash and zsh: 'It'\''s'
std::string single_quoted(std::string_view text);
std::string joined(const std::vector<std::string>& words, std::string_view between = " ");
std::vector<std::string> verb_words(const Command& command);
std::vector<std::string> option_words(const Command& command);

std::string bash_script(const Command& program);
std::string zsh_script(const Command& program);
std::string fish_script(const Command& program);

}  // namespace lockstep::pipeline
