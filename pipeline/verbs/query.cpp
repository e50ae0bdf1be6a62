#include "pipeline/verbs/query.hpp"

#include "pipeline/exit_codes.hpp"
#include "pipeline/store_reading.hpp"
#include "reports/table_text.hpp"

namespace lockstep::pipeline {

int query(const QueryOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    print(reports::table_text(database.run_query(options.sql), options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
