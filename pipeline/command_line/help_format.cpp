#include "pipeline/command_line/help_format.hpp"

#include <string_view>
#include <utility>

namespace lockstep::pipeline {
namespace {

// CLI11 leaves a line free for a group of options that is not shown.
std::string without_gaps(std::string text) {
    constexpr std::string_view kGap = "\n\n\n";
    for (auto at = text.find(kGap); at != std::string::npos; at = text.find(kGap, at))
        text.erase(at, 1);
    return text;
}

}  // namespace

HelpFormat::HelpFormat() {
    label("Positionals", "Arguments");
    label("SUBCOMMAND", "VERB");
}

std::string HelpFormat::make_help(const CLI::App* app, std::string name,
                                  CLI::AppFormatMode mode) const {
    return without_gaps(CLI::Formatter::make_help(app, std::move(name), mode));
}

std::string HelpFormat::make_option_opts(const CLI::Option* option) const {
    if (option->get_type_size() == 0) return {};
    const std::string type = option->get_type_name();
    const bool is_list = option->get_positional() && option->get_expected_max() > 1;
    return (type.empty() ? "" : " " + type) + (is_list ? " ..." : "");
}

std::string HelpFormat::make_option_desc(const CLI::Option* option) const {
    const std::string usual = option->get_default_str();
    return option->get_description() + (usual.empty() ? "" : "; " + usual + " unless given");
}

}  // namespace lockstep::pipeline
