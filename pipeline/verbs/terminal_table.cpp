#include "pipeline/verbs/terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "pipeline/progress/standard_output.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {
namespace {

void drop_last_column(storage::Table& table) {
    table.columns.pop_back();
    for (auto& row : table.rows) row.pop_back();
}

}  // namespace

bool shows_to_people(reports::TableFormat format) {
    return format == reports::TableFormat::table || format == reports::TableFormat::md;
}

void shorten_settings(const reports::SettingsTable& settings, storage::Table& shown) {
    const auto& columns = settings.table.columns;
    const auto first = columns.begin() + static_cast<std::ptrdiff_t>(settings.first);
    for (std::string& column : shown.columns)
        if (std::find(first, columns.end(), column) != columns.end())
            column = reports::short_name(settings, column);
}

void print_fitting(const storage::Table& table, reports::TableFormat format, bool may_drop) {
    const std::optional<std::size_t> width = output_width();
    if (!may_drop || !width || format != reports::TableFormat::table)
        return print(reports::table_text(table, format));
    storage::Table shown = table;
    while (shown.columns.size() > 1 && reports::table_width(shown) > *width)
        drop_last_column(shown);
    print(reports::table_text(shown, format));
    const std::size_t dropped = table.columns.size() - shown.columns.size();
    if (dropped > 0)
        fmt::print(stderr, "{} more column{} had no room; --columns all shows every one\n", dropped,
                   dropped == 1 ? "" : "s");
}

}  // namespace lockstep::pipeline
