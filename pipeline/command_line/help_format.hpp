#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace lockstep::pipeline {

// Help in the words of this program: arguments, options and verbs; a default in the sentence that
// tells what an option does. What must be given shows in the usage alone, which has all else in
// brackets.
class HelpFormat : public CLI::Formatter {
public:
    HelpFormat();
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override;
    std::string make_option_opts(const CLI::Option* option) const override;
    std::string make_option_desc(const CLI::Option* option) const override;
};

}  // namespace lockstep::pipeline
