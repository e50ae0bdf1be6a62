#include "pipeline/store/row_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "storage/database/row_selection.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

// What SQLite says of an unknown column; its name follows.
constexpr std::string_view kNoSuchColumn = "no such column: ";

constexpr std::size_t kShortList = 30;  // columns that a message lists

std::string hint(const std::string& column, const storage::Table& table) {
    const std::vector<std::string_view> known(table.columns.begin(), table.columns.end());
    std::string meant = did_you_mean(column, known);
    if (!meant.empty()) return meant;
    return known.size() <= kShortList ? fmt::format("; there are {}", fmt::join(known, ", "))
                                      : "; `--columns all` shows every one there is";
}

std::string checked_column(const std::string& column, std::string_view option,
                           const storage::Table& table) {
    const auto& known = table.columns;
    if (std::find(known.begin(), known.end(), column) != known.end()) return column;
    throw UsageError(
        fmt::format("{}: unknown column \"{}\"{}", option, column, hint(column, table)));
}

storage::SortKey sort_key(const std::string& text, const storage::Table& table) {
    const bool is_descending = text.starts_with('-');
    return {checked_column(is_descending ? text.substr(1) : text, "--sort", table), is_descending};
}

storage::RowSelection selection_of(const storage::Table& table, const RowOptions& options,
                                   std::span<const std::string_view> usual_columns) {
    storage::RowSelection selection{options.where, {}, {}, options.limit};
    for (const std::string& text : options.sort) selection.sort.push_back(sort_key(text, table));
    for (const std::string& column : options.columns) {
        selection.columns.push_back(checked_column(column, "--columns", table));
    }
    if (selection.columns.empty()) {
        selection.columns.assign(usual_columns.begin(), usual_columns.end());
    }
    return selection;
}

UsageError wrong_condition(const std::string& what, const storage::Table& table) {
    const std::size_t at = what.find(kNoSuchColumn);
    if (at == std::string::npos) return UsageError(fmt::format("--where: {}", what));
    const std::string column = what.substr(at + kNoSuchColumn.size());
    const std::vector<std::string_view> known(table.columns.begin(), table.columns.end());
    return UsageError(
        fmt::format("--where: {}{}; if it is a text, it stands in single quotes: '{}'", what,
                    did_you_mean(column, known), column));
}

}  // namespace

storage::Table chosen_rows(const storage::Table& table, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns) {
    const storage::RowSelection selection = selection_of(table, options, usual_columns);
    try {
        return storage::select_rows(table, name, selection);
    } catch (const storage::StorageError& error) {
        if (error.kind() != storage::StorageError::Kind::bad_statement) throw;
        throw wrong_condition(error.what(), table);
    }
}

}  // namespace lockstep::pipeline
