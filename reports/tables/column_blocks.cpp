#include "reports/tables/column_blocks.hpp"

#include "reports/tables/fitting_table.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Table;

// The first column, and those from `begin` on and in front of `end`.
Table part_of(const Table& table, std::size_t begin, std::size_t end) {
    Table part;
    const auto take = [&](const auto& all, auto& taken) {
        const auto at = [&](std::size_t place) {
            return all.begin() + static_cast<std::ptrdiff_t>(place);
        };
        taken.assign(all.begin(), at(1));
        taken.insert(taken.end(), at(begin), at(end));
    };
    take(table.columns, part.columns);
    for (const auto& row : table.rows) take(row, part.rows.emplace_back());
    return part;
}

}  // namespace

std::vector<Table> column_blocks(const Table& table, std::size_t width) {
    const std::size_t count = table.columns.size();
    if (count < 2) return {with_broken_lines(table, width)};
    std::vector<Table> blocks;
    for (std::size_t begin = 1; begin < count;) {
        std::size_t end = begin + 1;
        while (end < count && table_width(part_of(table, begin, end + 1)) <= width) ++end;
        blocks.push_back(with_broken_lines(part_of(table, begin, end), width));
        begin = end;
    }
    return blocks;
}

}  // namespace lockstep::reports
