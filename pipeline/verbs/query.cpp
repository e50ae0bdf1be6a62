#include "pipeline/verbs/query.hpp"

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {

int query(const QueryOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    print(reports::table_text(database.run_query(options.sql), options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
