#include "pipeline/command_line/help_text.hpp"

#include <algorithm>
#include <sstream>
#include <string_view>
#include <vector>

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kShortest = 20;  // characters of a line beside its indent
constexpr std::size_t kIndent = 4;     // of what goes on, beside that of the line itself

// Lines of words, each at most `width` long, if that can be.
std::vector<std::string> lines_of(const std::string& text, std::size_t width) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        const bool has_room =
            lines.back().empty() || lines.back().size() + 1 + word.size() <= width;
        if (!has_room) lines.emplace_back();
        lines.back() += (lines.back().empty() ? "" : " ") + word;
    }
    return lines;
}

std::string indented(const std::vector<std::string>& lines, std::size_t first, std::size_t others,
                     std::string_view behind) {
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool is_last = i + 1 == lines.size();
        text += std::string(i == 0 ? first : others, ' ') + lines[i];
        text += (is_last ? "" : std::string(behind)) + '\n';
    }
    return text;
}

std::size_t room(std::size_t width, std::size_t indent) {
    return std::max(width - std::min(width, indent), kShortest);
}

// "  lockstep ls      what it does": a word of the shell's in front.
bool is_command(std::string_view line) {
    const std::string_view text = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    return line.starts_with("  ") && (text.starts_with("lockstep ") ||
                                      text.starts_with("mpirun ") || text.starts_with("source "));
}

std::string fitted_command(const std::string& line, std::size_t indent, std::size_t width) {
    constexpr std::string_view kGoesOn = " \\";
    const std::size_t end = std::min(line.find("  ", indent), line.size());
    const std::size_t others = indent + kIndent;
    std::string text =
        indented(lines_of(line.substr(indent, end - indent), room(width, others + kGoesOn.size())),
                 indent, others, kGoesOn);
    if (end < line.size())
        text += indented(lines_of(line.substr(end), room(width, others)), others, others, "");
    return text;
}

std::string fitted_line(const std::string& line, std::size_t width) {
    const std::size_t indent = line.find_first_not_of(' ');
    if (line.size() <= width || indent == std::string::npos) return line + '\n';
    if (is_command(line)) return fitted_command(line, indent, width);
    const std::size_t gap = indent < kIndent ? line.find("  ", indent) : std::string::npos;
    const std::size_t begin = gap == std::string::npos ? indent : line.find_first_not_of(' ', gap);
    std::string text = line.substr(0, begin);
    std::string rest = indented(lines_of(line.substr(begin), room(width, begin)), 0, begin, "");
    return text + rest;
}

}  // namespace

std::string fitted_help(const std::string& help, std::size_t width) {
    std::string text;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) text += fitted_line(line, width);
    return text;
}

}  // namespace lockstep::pipeline
