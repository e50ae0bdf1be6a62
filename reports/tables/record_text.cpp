#include "reports/tables/record_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "reports/tables/fitting_table.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kBetween = 2;      // spaces
constexpr std::size_t kShortValue = 10;  // lines of values are no shorter

std::size_t longest_name(const std::vector<std::string>& columns) {
    std::size_t longest = 0;
    for (const std::string& column : columns)
        longest = std::max(longest, display_width(terminal_text(column)));
    return longest;
}

void add_lines(const std::string& name, const std::string& value, std::size_t indent,
               std::size_t width, std::string& text) {
    std::string head = name;
    if (display_width(name) + kBetween > indent) {  // a name of its own lines
        head.clear();
        for (const std::string& line : broken_lines(name, indent + width)) text += line + '\n';
    }
    for (const std::string& line : broken_lines(value, width)) {
        const std::size_t space = indent - std::min(indent, display_width(head));
        text += head + std::string(space, ' ') + line + '\n';
        head.clear();
    }
}

}  // namespace

std::string record_text(const storage::Table& table, std::size_t width) {
    const std::size_t most = std::max(width / 2, kShortValue);
    const std::size_t indent = std::min(longest_name(table.columns) + kBetween, most);
    const std::size_t room = std::max(width - std::min(width, indent), kShortValue);
    std::string text;
    for (const std::vector<storage::Cell>& row : table.rows) {
        if (!text.empty()) text += '\n';
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string value = cell_text(table.columns[i], row[i]);
            if (!value.empty())
                add_lines(terminal_text(table.columns[i]), value, indent, room, text);
        }
    }
    return text;
}

}  // namespace lockstep::reports
