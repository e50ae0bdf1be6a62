#include "storage/database/run_database_schema.hpp"

#include <cstdint>
#include <string>

#include "storage/database/database_connection.hpp"
#include "storage/database/run_database_views.hpp"

namespace lockstep::storage {
namespace {

// Figures are REAL and may be NULL: SQLite stores a NaN as NULL. Everything that may differ between
// two numbers of ranks (times, and what attempts say) stands in columns that end in _seconds or
// _utc, in images_per_second, or in attempts and events.
constexpr const char* kTables = R"sql(
CREATE TABLE experiments (
    name         TEXT PRIMARY KEY,  -- as in the experiment file: [A-Za-z0-9._-]{1,64}
    title        TEXT NOT NULL,     -- free text
    file         TEXT NOT NULL,     -- the experiment file, as it was given
    file_digest  TEXT NOT NULL,     -- SHA-256 of its bytes
    created_utc  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One training with its seed.
CREATE TABLE runs (
    run                   TEXT PRIMARY KEY,  -- name, '-', short hash of the effective config
    experiment            TEXT NOT NULL REFERENCES experiments(name),
    name                  TEXT NOT NULL,
    title                 TEXT NOT NULL,
    notes                 TEXT NOT NULL,     -- a user's own words
    source                TEXT NOT NULL,     -- where the architecture comes from
    seed                  INTEGER NOT NULL,
    config_digest         TEXT NOT NULL,     -- SHA-256 of the effective config
    data_digest           TEXT NOT NULL,     -- SHA-256 of pixels and labels
    dataset               TEXT NOT NULL,
    architecture          TEXT NOT NULL,
    optimizer             TEXT NOT NULL,
    batch_size            INTEGER NOT NULL,  -- global: samples of one step over all ranks
    shards                INTEGER NOT NULL,
    exchange              TEXT NOT NULL,     -- ordered, ring, mpi
    parameters            INTEGER NOT NULL,
    trainable_parameters  INTEGER NOT NULL,
    flops_per_image       INTEGER NOT NULL,  -- forward pass
    epochs                INTEGER NOT NULL,  -- planned
    training_samples      INTEGER NOT NULL,
    validation_samples    INTEGER NOT NULL,
    test_samples          INTEGER NOT NULL,
    validates_on_test_set INTEGER NOT NULL CHECK (validates_on_test_set IN (0, 1)),
    selected_on_test_set  INTEGER NOT NULL CHECK (selected_on_test_set IN (0, 1)),
    expected              TEXT NOT NULL,     -- JSON of what the source printed, or ''
    printed_val_accuracy  REAL,              -- from it; the last one of a list
    printed_test_accuracy REAL,
    effective_config      TEXT NOT NULL,     -- TOML: every value that was used, and its origin
    state                 TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'finished', 'interrupted', 'failed')),
    created_utc           TEXT NOT NULL,
    -- New in version 3; '' in rows that are older:
    design_name           TEXT NOT NULL DEFAULT '',  -- name without its part for the seed
    design_digest         TEXT NOT NULL DEFAULT '',  -- SHA-256 of the config without the seed
    initial_weights_sha256 TEXT NOT NULL DEFAULT '', -- of the file it starts from; '': none
    -- New in version 5; {} in rows that are older:
    settings              TEXT NOT NULL DEFAULT '{}', -- JSON: the effective settings by flat keys
    -- New in version 7; '' in rows that are older:
    parent_run            TEXT NOT NULL DEFAULT ''   -- the run whose epochs it goes on from, or ''
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_experiment ON runs (experiment, created_utc, run);
CREATE INDEX runs_by_name ON runs (name);

-- One start of a run: what it ran on, and how it ended.
CREATE TABLE attempts (
    run               TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    attempt           INTEGER NOT NULL CHECK (attempt >= 1),
    host              TEXT NOT NULL,
    boot_id           TEXT NOT NULL,
    pid               INTEGER NOT NULL,
    job_id            TEXT NOT NULL,     -- of the scheduler, or ''
    ranks             INTEGER NOT NULL,
    lockstep_version  TEXT NOT NULL,
    onednn_version    TEXT NOT NULL,
    mpi_version       TEXT NOT NULL,
    isa               TEXT NOT NULL,     -- instruction set of the kernels
    simd_target       TEXT NOT NULL,
    first_epoch       INTEGER NOT NULL,  -- the first one it trained
    started_utc       TEXT NOT NULL,
    finished_utc      TEXT,              -- NULL while it lasts
    outcome           TEXT NOT NULL
        CHECK (outcome IN ('running', 'finished', 'interrupted', 'failed')),
    cause             TEXT NOT NULL,
    -- The lease by which it holds the run. New in version 4; '' and 0 in rows that are older:
    pid_namespace     TEXT NOT NULL DEFAULT '',   -- in which pid means something
    process_start     INTEGER NOT NULL DEFAULT 0, -- of pid, in clock ticks after boot; 0: not known
    job_token         TEXT NOT NULL DEFAULT '',   -- of the start of Lockstep that made it
    heartbeat_utc     TEXT NOT NULL DEFAULT '',   -- when the lease was renewed last
    heartbeats        INTEGER NOT NULL DEFAULT 0, -- how often it was
    lease_seconds     INTEGER NOT NULL DEFAULT 0, -- how long it lasts after that
    PRIMARY KEY (run, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE epochs (
    run                 TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    epoch               INTEGER NOT NULL CHECK (epoch >= 1),
    attempt             INTEGER NOT NULL,  -- the one that trained it
    steps               INTEGER NOT NULL,  -- updates
    loss                REAL,              -- mean over the samples; NULL: NaN
    accuracy            REAL,              -- fraction
    val_loss            REAL,              -- NULL without validation, or NaN
    val_accuracy        REAL,
    is_nan              INTEGER NOT NULL CHECK (is_nan IN (0, 1)),  -- a figure here was NaN
    learning_rate       REAL,              -- of the last step
    training_count      INTEGER NOT NULL,  -- samples trained on, each exactly once
    validation_count    INTEGER NOT NULL,  -- samples evaluated, each exactly once
    weights_digest      TEXT NOT NULL,     -- SHA-256 of all weights at the epoch's end
    epoch_seconds       REAL,              -- training and validation
    training_seconds    REAL,
    exchange_seconds    REAL,
    data_seconds        REAL,
    evaluation_seconds  REAL,
    images_per_second   REAL,              -- training_count / training_seconds
    finished_utc        TEXT NOT NULL,
    -- New in version 8; NULL in rows that are older:
    stopped_seconds     REAL,              -- the longest that one of the ranks stood still
    -- New in version 9; NULL in rows that are older, and on at most five classes:
    val_top_5_accuracy  REAL,              -- fraction whose class is among the five likeliest
    PRIMARY KEY (run, epoch),
    FOREIGN KEY (run, attempt) REFERENCES attempts(run, attempt)
) STRICT, WITHOUT ROWID;

-- Only with [train] record_steps = true.
CREATE TABLE steps (
    run       TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    step      INTEGER NOT NULL CHECK (step >= 0),  -- of the whole run, from 0
    loss      REAL,                                -- of its batch, before its update; NULL: NaN
    accuracy  REAL,                                -- fraction
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;

-- Figures of a whole run: test_loss, test_accuracy, best_val_accuracy, best_epoch, ...
CREATE TABLE metrics (
    run     TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    value   REAL,  -- NULL: NaN
    is_nan  INTEGER NOT NULL CHECK (is_nan IN (0, 1)),
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

-- Files of a run: checkpoint, checkpoint_prev, best, final, predictions, ...
CREATE TABLE artifacts (
    run     TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    path    TEXT NOT NULL,     -- relative to the folder of this database
    bytes   INTEGER NOT NULL,
    sha256  TEXT NOT NULL,
    epoch   INTEGER NOT NULL,  -- the epoch its content is from
    PRIMARY KEY (run, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    id       INTEGER PRIMARY KEY,  -- in the order they were written
    run      TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    attempt  INTEGER NOT NULL,     -- 0: outside of an attempt
    utc      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    text     TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_run ON events (run, id);
)sql";

// New in version 3.
constexpr const char* kDesignColumns = R"sql(
ALTER TABLE runs ADD COLUMN design_name TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN design_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN initial_weights_sha256 TEXT NOT NULL DEFAULT '';
)sql";
constexpr const char* kDesignIndex = "CREATE INDEX runs_by_config ON runs (config_digest)";

// New in version 4.
constexpr const char* kLeaseColumns = R"sql(
ALTER TABLE attempts ADD COLUMN pid_namespace TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN process_start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN job_token TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN heartbeat_utc TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN heartbeats INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN lease_seconds INTEGER NOT NULL DEFAULT 0;
)sql";

// New in version 5.
constexpr const char* kSettingsColumn =
    "ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}'";

// New in version 6.
constexpr const char* kExperimentRuns = R"sql(
-- The runs of an experiment: also those that another one, with the same run in its list, trained.
CREATE TABLE experiment_runs (
    experiment TEXT NOT NULL REFERENCES experiments(name) ON DELETE CASCADE,
    run        TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    PRIMARY KEY (experiment, run)
) STRICT, WITHOUT ROWID;
CREATE INDEX experiment_runs_by_run ON experiment_runs (run);
)sql";

// New in version 7. No reference: the parent may be in another store.
constexpr const char* kParentColumn =
    "ALTER TABLE runs ADD COLUMN parent_run TEXT NOT NULL DEFAULT ''";
constexpr const char* kTagsTable = R"sql(
-- A user's own words for a run.
CREATE TABLE run_tags (
    run  TEXT NOT NULL REFERENCES runs(run) ON DELETE CASCADE,
    tag  TEXT NOT NULL,  -- [A-Za-z0-9._-]{1,64}
    PRIMARY KEY (run, tag)
) STRICT, WITHOUT ROWID;
)sql";

// New in version 2.
constexpr const char* kTotalsTable = R"sql(
-- What the epochs of a run come to, so that ten thousand runs are listed without reading a million
-- epochs. Written with every change of a run's epochs; no row where there are none.
CREATE TABLE run_totals (
    run                 TEXT PRIMARY KEY REFERENCES runs(run) ON DELETE CASCADE,
    epochs_finished     INTEGER NOT NULL,
    last_epoch          INTEGER NOT NULL,
    best_epoch          INTEGER NOT NULL,  -- by val_accuracy, or accuracy without validation
    all_epochs_seconds  REAL,
    training_seconds    REAL,
    training_count      INTEGER NOT NULL,  -- samples trained on in all epochs
    -- New in version 8:
    stopped_seconds     REAL               -- in which a rank stood still; NULL: not known
) STRICT, WITHOUT ROWID;
)sql";

// New in version 8.
constexpr const char* kStoppedColumn = "ALTER TABLE epochs ADD COLUMN stopped_seconds REAL";
constexpr const char* kStoppedTotal = "ALTER TABLE run_totals ADD COLUMN stopped_seconds REAL";

// New in version 9.
constexpr const char* kTop5Column = "ALTER TABLE epochs ADD COLUMN val_top_5_accuracy REAL";

// The rows of run_totals. An epoch with a NaN is the best where no other is; of equals the first
// one is.
constexpr const char* kTotals = R"sql(
SELECT run, count(*) AS epochs_finished, max(epoch) AS last_epoch,
       (SELECT b.epoch FROM epochs b WHERE b.run = e.run
        ORDER BY b.is_nan,
                 CASE WHEN b.validation_count > 0 THEN b.val_accuracy ELSE b.accuracy END DESC,
                 b.epoch
        LIMIT 1) AS best_epoch,
       sum(epoch_seconds) AS all_epochs_seconds, sum(training_seconds) AS training_seconds,
       sum(training_count) AS training_count, sum(stopped_seconds) AS stopped_seconds
FROM epochs e)sql";

void set_newest_version(SQLite::Database& db) {
    db.exec("PRAGMA user_version = " + std::to_string(kSchemaVersion));
}

// What a table of runs of this version lacks, as further columns of a SELECT.
std::string missing_run_columns(std::int64_t version) {
    std::string columns;
    if (version < 3)
        columns += ", '' AS design_name, '' AS design_digest, '' AS initial_weights_sha256";
    if (version < 5) columns += ", '{}' AS settings";
    if (version < 7) columns += ", '' AS parent_run";
    return columns;
}

std::string totals_of_all() { return std::string(kTotals) + " GROUP BY run"; }

}  // namespace

void create_tables(SQLite::Database& db) {
    db.exec(kTables);
    db.exec(kTotalsTable);
    db.exec(kDesignIndex);
    db.exec(kExperimentRuns);
    db.exec(kTagsTable);
}

void create_schema(SQLite::Database& db) {
    db.exec("PRAGMA application_id = 1282110324");  // 0x4c6b7374, "Lkst"
    set_newest_version(db);
    create_tables(db);
    create_views(db, "CREATE VIEW ");
}

void upgrade_schema(SQLite::Database& db) {
    drop_views(db);
    if (version_of(db) < 8) {
        db.exec(kStoppedColumn);
        if (version_of(db) < 2)
            db.exec(kTotalsTable);
        else
            db.exec(kStoppedTotal);
        db.exec("DELETE FROM run_totals");
        db.exec("INSERT INTO run_totals " + totals_of_all());
    }
    if (version_of(db) < 9) db.exec(kTop5Column);
    if (version_of(db) < 3) {
        db.exec(kDesignColumns);
        db.exec(kDesignIndex);
    }
    if (version_of(db) < 4) db.exec(kLeaseColumns);
    if (version_of(db) < 5) db.exec(kSettingsColumn);
    if (version_of(db) < 6) {
        db.exec(kExperimentRuns);
        db.exec("INSERT INTO experiment_runs SELECT experiment, run FROM runs");
    }
    if (version_of(db) < 7) {
        db.exec(kParentColumn);
        db.exec(kTagsTable);
    }
    create_views(db, "CREATE VIEW ");
    set_newest_version(db);
}

void show_as_new_schema(SQLite::Database& db) {
    // These stand in front of the tables of the same names, also for the views below.
    if (version_of(db) < 8)
        db.exec(
            "CREATE TEMP VIEW epochs AS SELECT *, NULL AS stopped_seconds, "
            "NULL AS val_top_5_accuracy FROM main.epochs");
    else
        db.exec("CREATE TEMP VIEW epochs AS SELECT *, NULL AS val_top_5_accuracy FROM main.epochs");
    if (version_of(db) < 2)
        db.exec("CREATE TEMP VIEW run_totals AS " + totals_of_all());
    else if (version_of(db) < 8)
        db.exec(
            "CREATE TEMP VIEW run_totals AS SELECT *, NULL AS stopped_seconds FROM "
            "main.run_totals");
    if (version_of(db) < 7)
        db.exec("CREATE TEMP VIEW runs AS SELECT *" + missing_run_columns(version_of(db)) +
                " FROM main.runs");
    if (version_of(db) < 4) {
        db.exec(
            "CREATE TEMP VIEW attempts AS SELECT *, '' AS pid_namespace, 0 AS process_start, "
            "'' AS job_token, '' AS heartbeat_utc, 0 AS heartbeats, 0 AS lease_seconds "
            "FROM main.attempts");
    }
    if (version_of(db) < 6)
        db.exec("CREATE TEMP VIEW experiment_runs AS SELECT experiment, run FROM main.runs");
    if (version_of(db) < 7)
        db.exec("CREATE TEMP VIEW run_tags AS SELECT run, '' AS tag FROM main.runs WHERE 0");
    show_own_views(db);
}

void show_own_views(SQLite::Database& db) { create_views(db, "CREATE TEMP VIEW "); }

void update_totals(SQLite::Database& db, std::string_view run) {
    execute(db, "DELETE FROM run_totals WHERE run = ?1", run);
    SQLite::Statement insert(
        db, "INSERT INTO run_totals " + std::string(kTotals) + " WHERE run = ?1 GROUP BY run");
    bind_values(insert, run);
    insert.exec();
}

}  // namespace lockstep::storage
