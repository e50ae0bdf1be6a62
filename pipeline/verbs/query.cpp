#include "pipeline/verbs/query.hpp"

#include <string>
#include <string_view>
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

// What may have been meant by what SQLite does not know.
std::string hint(const storage::RunDatabase& database, const std::string& what) {
    if (const std::size_t at = what.find(kNoSuchColumn); at != std::string::npos) {
        std::string column = what.substr(at + kNoSuchColumn.size());
        column = column.substr(column.rfind('.') + 1);
        const std::vector<std::string> known =
            database.run_query("select * from v_runs, v_epochs, v_settings limit 0").columns;
        return did_you_mean(column, std::vector<std::string_view>(known.begin(), known.end()));
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
