#include "pipeline/verbs/terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>

#include "pipeline/progress/standard_output.hpp"

namespace lockstep::pipeline {

bool shows_to_people(reports::TableFormat format) {
    return format == reports::TableFormat::table || format == reports::TableFormat::md;
}

std::string shown_name(const reports::SettingsTable& settings, const std::string& column) {
    const auto& columns = settings.table.columns;
    const auto first = columns.begin() + static_cast<std::ptrdiff_t>(settings.first);
    const bool is_setting = std::find(first, columns.end(), column) != columns.end();
    return is_setting ? reports::short_name(settings, column) : column;
}

void shorten_settings(const reports::SettingsTable& settings, storage::Table& shown) {
    for (std::string& column : shown.columns) column = shown_name(settings, column);
}

void print_fitting(const storage::Table& table, reports::TableFormat format,
                   const Fitting& fitting) {
    if (!fitting.may_drop || !shows_to_people(format))
        return print(reports::table_text(table, format));
    const storage::Table full = reports::without_empty_columns(table);
    const std::optional<std::size_t> width = output_width();
    if (!width || format != reports::TableFormat::table)
        return print(reports::table_text(full, format));
    const reports::FittedTable shown =
        reports::fitted(full, *width, fitting.kept, fitting.together);
    print(reports::table_text(shown.table, format));
    if (shown.left_out > 0)
        fmt::print(stderr, "{} more column{} had no room; {}\n", shown.left_out,
                   shown.left_out == 1 ? "" : "s", fitting.where_the_rest_is);
}

std::string fitting_sections(std::vector<reports::Section> sections, reports::TableFormat format) {
    const std::optional<std::size_t> width = output_width();
    for (reports::Section& section : sections) {
        section.table = reports::without_empty_columns(std::move(section.table));
        if (!width || format != reports::TableFormat::table) continue;
        section.table = reports::with_broken_lines(section.table, *width);
        section.table = reports::fitted(std::move(section.table), *width, {}).table;
    }
    return reports::sections_text(sections, format);
}

}  // namespace lockstep::pipeline
