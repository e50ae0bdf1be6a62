#include "reports/tables/table_columns.hpp"

#include <algorithm>

namespace lockstep::reports {

using storage::Cell;
using storage::Table;

std::size_t place_of(const Table& table, std::string_view column) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, column) -
                                    table.columns.begin());
}

void erase_column(Table& table, std::size_t place) {
    const auto at = static_cast<std::ptrdiff_t>(place);
    table.columns.erase(table.columns.begin() + at);
    for (std::vector<Cell>& row : table.rows) row.erase(row.begin() + at);
}

void insert_column(Table& table, std::size_t place, const std::string& name,
                   const std::vector<Cell>& cells) {
    const auto at = static_cast<std::ptrdiff_t>(place);
    table.columns.insert(table.columns.begin() + at, name);
    for (std::size_t i = 0; i < table.rows.size(); ++i)
        table.rows[i].insert(table.rows[i].begin() + at, cells[i]);
}

}  // namespace lockstep::reports
