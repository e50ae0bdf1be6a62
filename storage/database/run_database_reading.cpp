#include <fmt/format.h>
#include <sqlite3.h>

#include <limits>
#include <utility>

#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {
namespace {

// Takes the columns of a row one after the other, in the order of the SELECT.
class RowReader {
public:
    explicit RowReader(const SQLite::Statement& statement) : statement_(statement) {}
    std::string text() { return next().getString(); }  // NULL: ""
    std::int64_t integer() { return next().getInt64(); }
    int number() { return next().getInt(); }
    bool flag() { return next().getInt() != 0; }
    std::optional<double> optional_figure() {  // NULL: none
        const SQLite::Column column = next();
        return column.isNull() ? std::nullopt : std::optional(column.getDouble());
    }
    double figure() {  // NULL: NaN
        const SQLite::Column column = next();
        return column.isNull() ? std::numeric_limits<double>::quiet_NaN() : column.getDouble();
    }

private:
    SQLite::Column next() { return statement_.getColumn(index_++); }
    const SQLite::Statement& statement_;
    int index_ = 0;
};

// All rows of a SELECT, each made by `make_row`. Values are bound to ?1, ?2, ...
template <typename MakeRow, typename... Values>
auto select(SQLite::Database& db, const char* sql, MakeRow make_row, const Values&... values) {
    SQLite::Statement statement(db, sql);
    bind_values(statement, values...);
    std::vector<decltype(make_row(std::declval<RowReader&>()))> rows;
    while (statement.executeStep()) {
        RowReader reader(statement);
        rows.push_back(make_row(reader));
    }
    return rows;
}

// Members in braces are read from left to right, in the order of the columns.
RunRow run_row(RowReader& row) {
    return {.run = row.text(),
            .experiment = row.text(),
            .name = row.text(),
            .title = row.text(),
            .notes = row.text(),
            .source = row.text(),
            .seed = row.integer(),
            .config_digest = row.text(),
            .data_digest = row.text(),
            .dataset = row.text(),
            .architecture = row.text(),
            .optimizer = row.text(),
            .batch_size = row.number(),
            .shards = row.number(),
            .exchange = row.text(),
            .parameters = row.integer(),
            .trainable_parameters = row.integer(),
            .flops_per_image = row.integer(),
            .epochs = row.number(),
            .training_samples = row.integer(),
            .validation_samples = row.integer(),
            .test_samples = row.integer(),
            .validates_on_test_set = row.flag(),
            .selected_on_test_set = row.flag(),
            .expected = row.text(),
            .effective_config = row.text(),
            .state = run_state_from(row.text()),
            .created_utc = row.text(),
            .design_name = row.text(),
            .design_digest = row.text(),
            .initial_weights_sha256 = row.text(),
            .settings = row.text(),
            .parent_run = row.text()};
}

// The columns of run_row(), as the table has them.
constexpr std::string_view kSelectRuns = R"sql(
    SELECT run, experiment, name, title, notes, source, seed, config_digest, data_digest, dataset,
        architecture, optimizer, batch_size, shards, exchange, parameters, trainable_parameters,
        flops_per_image, epochs, training_samples, validation_samples, test_samples,
        validates_on_test_set, selected_on_test_set, expected, effective_config, state, created_utc,
        design_name, design_digest, initial_weights_sha256, settings, parent_run
    FROM runs WHERE )sql";

// `condition` is a constant of ours that an index answers; ?1 in it is `value`.
std::vector<RunRow> select_runs(SQLite::Database& db, std::string_view condition,
                                std::string_view value) {
    const std::string sql = fmt::format("{}{} ORDER BY created_utc, run", kSelectRuns, condition);
    return select(db, sql.c_str(), run_row, value);
}

EpochRow epoch_row(RowReader& row) {
    EpochRow epoch{.run = row.text(),
                   .epoch = row.number(),
                   .attempt = row.number(),
                   .steps = row.integer(),
                   .loss = row.figure(),
                   .accuracy = row.figure(),
                   .val_loss = row.figure(),
                   .val_accuracy = row.figure(),
                   .learning_rate = row.figure(),
                   .training_count = row.integer(),
                   .validation_count = row.integer(),
                   .weights_digest = row.text(),
                   .epoch_seconds = row.figure(),
                   .training_seconds = row.figure(),
                   .exchange_seconds = row.figure(),
                   .data_seconds = row.figure(),
                   .evaluation_seconds = row.figure(),
                   .images_per_second = row.figure(),
                   .finished_utc = row.text(),
                   .stopped_seconds = row.optional_figure()};
    if (epoch.validation_count == 0) {  // else a NULL was a NaN
        epoch.val_loss.reset();
        epoch.val_accuracy.reset();
    }
    return epoch;
}

AttemptRow attempt_row(RowReader& row) {
    return {.run = row.text(),
            .attempt = row.number(),
            .host = row.text(),
            .boot_id = row.text(),
            .pid = row.integer(),
            .job_id = row.text(),
            .ranks = row.number(),
            .lockstep_version = row.text(),
            .onednn_version = row.text(),
            .mpi_version = row.text(),
            .isa = row.text(),
            .simd_target = row.text(),
            .first_epoch = row.number(),
            .started_utc = row.text(),
            .finished_utc = row.text(),
            .outcome = row.text(),
            .cause = row.text(),
            .pid_namespace = row.text(),
            .process_start = row.integer(),
            .job_token = row.text(),
            .heartbeat_utc = row.text(),
            .heartbeats = row.integer(),
            .lease_seconds = row.number()};
}

StepRow step_row(RowReader& row) {
    return {
        .run = row.text(), .step = row.integer(), .loss = row.figure(), .accuracy = row.figure()};
}

StepStretch step_stretch(RowReader& row) {
    return {.first_step = row.integer(),
            .steps = row.integer(),
            .mean_loss = row.figure(),
            .lowest_loss = row.figure(),
            .highest_loss = row.figure()};
}

MetricRow metric_row(RowReader& row) {
    return {.run = row.text(), .name = row.text(), .value = row.figure()};
}

ArtifactRow artifact_row(RowReader& row) {
    return {.run = row.text(),
            .kind = row.text(),
            .path = row.text(),
            .bytes = row.integer(),
            .sha256 = row.text(),
            .epoch = row.number()};
}

EventRow event_row(RowReader& row) {
    return {.run = row.text(),
            .attempt = row.number(),
            .utc = row.text(),
            .kind = row.text(),
            .text = row.text()};
}

}  // namespace

void RunDatabase::read_at_once(const std::function<void()>& read) const {
    connection_->use([&](SQLite::Database& db) {
        if (sqlite3_get_autocommit(db.getHandle()) == 0) return read();  // inside of another one
        SQLite::Transaction moment(db);
        read();
        moment.commit();
    });
}

std::vector<ExperimentRow> RunDatabase::experiments() const {
    return connection_->use([](SQLite::Database& db) {
        return select(
            db, "SELECT name, title, file, file_digest, created_utc FROM experiments ORDER BY name",
            [](RowReader& row) {
                return ExperimentRow{row.text(), row.text(), row.text(), row.text(), row.text()};
            });
    });
}

std::vector<RunRow> RunDatabase::runs(std::string_view experiment) const {
    return connection_->use([&](SQLite::Database& db) {
        return experiment.empty() ? select_runs(db, "?1 = ''", "")
                                  : select_runs(db,
                                                "run IN (SELECT run FROM experiment_runs "
                                                "WHERE experiment = ?1)",
                                                experiment);
    });
}

std::optional<RunRow> RunDatabase::find_run(std::string_view run) const {
    if (run.empty()) return std::nullopt;
    auto found =
        connection_->use([&](SQLite::Database& db) { return select_runs(db, "run = ?1", run); });
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<RunRow> RunDatabase::match_runs(std::string_view text) const {
    if (text.empty()) return {};
    return connection_->use([&](SQLite::Database& db) {
        auto found = select_runs(db, "run = ?1", text);
        if (found.empty()) found = select_runs(db, "name = ?1", text);
        if (found.empty()) {  // the range of an index; U+10FFFF sorts behind all text
            found = select_runs(db, "run >= ?1 AND run < ?1 || char(1114111)", text);
        }
        return found;
    });
}

RunDetails RunDatabase::run_details(std::string_view run) const {
    RunDetails details;
    read_at_once([&] {
        auto row = find_run(run);
        if (!row) {
            throw StorageError(StorageError::Kind::missing, fmt::format("there is no run {}", run));
        }
        details = {std::move(*row), attempts(run), epochs(run), metrics(run),
                   artifacts(run),  events(run),   tags(run)};
    });
    return details;
}

std::vector<std::string> RunDatabase::running_runs() const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, "SELECT run FROM runs WHERE state = 'running' ORDER BY created_utc, run",
                      [](RowReader& row) { return row.text(); });
    });
}

std::vector<RunRow> RunDatabase::runs_of_config(std::string_view config_digest) const {
    return connection_->use(
        [&](SQLite::Database& db) { return select_runs(db, "config_digest = ?1", config_digest); });
}

std::vector<int> RunDatabase::finished_epochs(std::string_view data_digest, int below) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(
            db, R"sql(
            SELECT DISTINCT epochs FROM runs
            WHERE state = 'finished' AND data_digest = ?1 AND epochs BETWEEN 1 AND ?2 - 1
            ORDER BY epochs DESC)sql",
            [](RowReader& row) { return row.number(); }, data_digest, below);
    });
}

std::vector<std::string> RunDatabase::tags(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(
            db, "SELECT tag FROM run_tags WHERE run = ?1 ORDER BY tag",
            [](RowReader& row) { return row.text(); }, run);
    });
}

std::vector<AttemptRow> RunDatabase::attempts(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, R"sql(
            SELECT run, attempt, host, boot_id, pid, job_id, ranks, lockstep_version,
                onednn_version, mpi_version, isa, simd_target, first_epoch, started_utc,
                finished_utc, outcome, cause, pid_namespace, process_start, job_token,
                heartbeat_utc, heartbeats, lease_seconds
            FROM attempts WHERE run = ?1 ORDER BY attempt)sql",
                      attempt_row, run);
    });
}

std::vector<EpochRow> RunDatabase::epochs(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, R"sql(
            SELECT run, epoch, attempt, steps, loss, accuracy, val_loss, val_accuracy,
                learning_rate, training_count, validation_count, weights_digest, epoch_seconds,
                training_seconds, exchange_seconds, data_seconds, evaluation_seconds,
                images_per_second, finished_utc, stopped_seconds
            FROM epochs WHERE run = ?1 ORDER BY epoch)sql",
                      epoch_row, run);
    });
}

std::vector<StepRow> RunDatabase::steps(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db,
                      "SELECT run, step, loss, accuracy FROM steps WHERE run = ?1 ORDER BY step",
                      step_row, run);
    });
}

std::vector<StepStretch> RunDatabase::step_stretches(std::string_view run,
                                                     std::int64_t most) const {
    return connection_->use([&](SQLite::Database& db) {
        // A mean over the others would hide that one was NaN.
        return select(db, R"sql(
            WITH stretch AS (SELECT (max(step) + ?2) / ?2 AS length FROM steps WHERE run = ?1)
            SELECT min(step), count(*),
                CASE WHEN count(loss) = count(*) THEN avg(loss) END,
                CASE WHEN count(loss) = count(*) THEN min(loss) END,
                CASE WHEN count(loss) = count(*) THEN max(loss) END
            FROM steps, stretch WHERE run = ?1
            GROUP BY step / length ORDER BY step / length)sql",
                      step_stretch, run, most);
    });
}

std::vector<MetricRow> RunDatabase::metrics(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, "SELECT run, name, value FROM metrics WHERE run = ?1 ORDER BY name",
                      metric_row, run);
    });
}

std::vector<ArtifactRow> RunDatabase::artifacts(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, R"sql(
            SELECT run, kind, path, bytes, sha256, epoch
            FROM artifacts WHERE run = ?1 ORDER BY kind)sql",
                      artifact_row, run);
    });
}

std::vector<EventRow> RunDatabase::events(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db,
                      "SELECT run, attempt, utc, kind, text FROM events WHERE run = ?1 ORDER BY id",
                      event_row, run);
    });
}

std::optional<ArtifactRow> RunDatabase::artifact(std::string_view run,
                                                 std::string_view kind) const {
    for (ArtifactRow& row : artifacts(run)) {
        if (row.kind == kind) return std::move(row);
    }
    return std::nullopt;
}

std::vector<std::string> RunDatabase::checkpoint_digests(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(
            db, R"sql(
            SELECT sha256 FROM artifacts WHERE run = ?1 AND kind IN (?2, ?3)
            ORDER BY kind = ?2 DESC)sql",
            [](RowReader& row) { return row.text(); }, run, kCheckpointArtifact,
            kPreviousCheckpointArtifact);
    });
}

}  // namespace lockstep::storage
