#include "pipeline/verbs/query.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

using storage::StorageError;

constexpr std::string_view kNoSuchColumn = "no such column: ";

// Every column of the database, and which views and tables have it.
constexpr const char* kColumns =
    "select c.name, group_concat(t.name, ', ') from sqlite_schema t, pragma_table_info(t.name) c "
    "where t.type in ('view', 'table') group by c.name order by c.name";

std::string hint_of_column(const storage::RunDatabase& database, std::string_view column) {
    const storage::Table known = database.run_query(kColumns);
    std::vector<std::string_view> names;
    for (const std::vector<storage::Cell>& row : known.rows) {
        names.push_back(std::get<std::string>(row[0]));
        if (names.back() == column)
            return fmt::format("; it is one of {}", std::get<std::string>(row[1]));
    }
    return did_you_mean(column, names);
}

// What may have been meant by what SQLite does not know.
std::string hint(const storage::RunDatabase& database, const std::string& what) {
    if (const std::size_t at = what.find(kNoSuchColumn); at != std::string::npos) {
        const std::string column = what.substr(at + kNoSuchColumn.size());
        return hint_of_column(database, column.substr(column.rfind('.') + 1));
    }
    const bool is_no_sql = what.find("syntax error") != std::string::npos ||
                           what.find("no such table") != std::string::npos;
    return is_no_sql ? "; there are the views v_runs, v_epochs, v_best, v_settings and v_compare, "
                       "whose columns `lockstep query \"pragma table_info(v_runs)\"` tells"
                     : "";
}

}  // namespace

int query(const QueryOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    try {
        print_fitting(database.run_query(options.sql), options.format, {.may_drop = false});
    } catch (const StorageError& error) {
        if (error.kind() != StorageError::Kind::bad_statement) throw;
        throw UsageError(error.what() + hint(database, error.what()));
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
