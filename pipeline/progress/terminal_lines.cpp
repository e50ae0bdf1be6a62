#include "pipeline/progress/terminal_lines.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "pipeline/progress/standard_output.hpp"
#include "reports/tables/fitting_table.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {

std::string terminal_lines(const std::string& line) {
    constexpr std::size_t kIndent = 2, kShortest = 20;
    const std::optional<std::size_t> width = output_width();
    const std::size_t own = line.find_first_not_of(' ');
    if (!width || reports::display_width(line) <= *width || own == std::string::npos)
        return line + '\n';
    const std::size_t room = std::max(*width, own + kIndent + kShortest) - own - kIndent;
    std::string text, indent(own, ' ');
    for (const std::string& part : reports::broken_lines(line, room)) {
        text += indent + part + '\n';
        indent.assign(own + kIndent, ' ');
    }
    return text;
}

}  // namespace lockstep::pipeline
