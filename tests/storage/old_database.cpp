#include "tests/storage/old_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

#include "storage/database/run_database.hpp"
#include "tests/storage/sample_rows.hpp"

namespace lockstep::storage {

namespace fs = std::filesystem;

void fill_database(const fs::path& path) {
    RunDatabase database(path, DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    begin_sample_run(database, "b-1");
    for (int epoch = 1; epoch <= 3; ++epoch) {
        EpochRow row = sample_epoch("a-1", epoch);
        row.val_accuracy = 0.125 * epoch;
        database.record_epoch(row, {}, {});
    }
}

void make_version(int version, const fs::path& path) {
    SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
    raw.exec(
        "DROP VIEW v_runs; DROP VIEW v_best; DROP VIEW v_compare; DROP VIEW v_epochs;"
        "DROP VIEW v_settings; ALTER TABLE epochs DROP COLUMN val_top_5_accuracy;"
        "CREATE VIEW v_runs AS SELECT run FROM runs;"
        "CREATE VIEW v_best AS SELECT run FROM runs;");
    if (version < 8) raw.exec("ALTER TABLE epochs DROP COLUMN stopped_seconds");
    if (version > 1 && version < 8) raw.exec("ALTER TABLE run_totals DROP COLUMN stopped_seconds");
    if (version < 7) raw.exec("DROP TABLE run_tags; ALTER TABLE runs DROP COLUMN parent_run");
    if (version < 6) raw.exec("DROP TABLE experiment_runs");
    if (version < 5) raw.exec("ALTER TABLE runs DROP COLUMN settings");
    if (version < 4) {
        raw.exec(
            "ALTER TABLE attempts DROP COLUMN pid_namespace;"
            "ALTER TABLE attempts DROP COLUMN process_start;"
            "ALTER TABLE attempts DROP COLUMN job_token;"
            "ALTER TABLE attempts DROP COLUMN heartbeat_utc;"
            "ALTER TABLE attempts DROP COLUMN heartbeats;"
            "ALTER TABLE attempts DROP COLUMN lease_seconds;");
    }
    if (version < 3) {
        raw.exec(
            "DROP INDEX runs_by_config;"
            "ALTER TABLE runs DROP COLUMN design_name;"
            "ALTER TABLE runs DROP COLUMN design_digest;"
            "ALTER TABLE runs DROP COLUMN initial_weights_sha256;");
    }
    if (version == 1) raw.exec("DROP TABLE run_totals");
    raw.exec("PRAGMA user_version = " + std::to_string(version));
}

}  // namespace lockstep::storage
