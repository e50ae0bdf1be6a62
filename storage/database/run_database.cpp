#include "storage/database/run_database.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "storage/database/attempt_rows.hpp"
#include "storage/database/database_connection.hpp"
#include "storage/database/run_database_schema.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;

bool has_nan(const EpochRow& row) {
    return std::isnan(row.loss) || std::isnan(row.accuracy) ||
           (row.val_loss && std::isnan(*row.val_loss)) ||
           (row.val_accuracy && std::isnan(*row.val_accuracy));
}

// A checkpoint of an earlier epoch was kept as the previous file when `row` took its place.
void keep_previous_checkpoint(SQLite::Database& db, const ArtifactRow& row) {
    execute(db, R"sql(
        INSERT OR REPLACE INTO artifacts (run, kind, path, bytes, sha256, epoch)
        SELECT run, ?3, replace(path, 'checkpoint.h5', 'checkpoint.prev.h5'), bytes, sha256, epoch
        FROM artifacts WHERE run = ?1 AND kind = ?2 AND sha256 <> ?4)sql",
            row.run, kCheckpointArtifact, kPreviousCheckpointArtifact, row.sha256);
}

void upsert_artifacts(SQLite::Database& db, std::span<const ArtifactRow> rows) {
    for (const ArtifactRow& row : rows) {
        if (row.kind == kCheckpointArtifact) keep_previous_checkpoint(db, row);
        upsert_artifact(db, row);
    }
}

// Throws std::invalid_argument unless it is "" or a JSON object.
nlohmann::json expected_figures(const std::string& text) {
    if (text.empty()) return nlohmann::json::object();
    nlohmann::json figures = nlohmann::json::parse(text, nullptr, false);
    if (!figures.is_object()) throw std::invalid_argument("expected figures are no JSON object");
    return figures;
}

// A figure that the source printed; of one printed for each epoch the last.
std::optional<double> last_figure(const nlohmann::json& figures, const char* name) {
    const auto found = figures.find(name);
    if (found == figures.end()) return std::nullopt;
    const nlohmann::json& figure = found->is_array() && !found->empty() ? found->back() : *found;
    return figure.is_number() ? std::optional(figure.get<double>()) : std::nullopt;
}

}  // namespace

void upsert_epoch(SQLite::Database& db, const EpochRow& row) {
    execute(db, R"sql(
        INSERT OR REPLACE INTO epochs (run, epoch, attempt, steps, loss, accuracy, val_loss,
            val_accuracy, is_nan, learning_rate, training_count, validation_count, weights_digest,
            epoch_seconds, training_seconds, exchange_seconds, data_seconds, evaluation_seconds,
            images_per_second, finished_utc, stopped_seconds, val_top_5_accuracy)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, ?21, ?22))sql",
            row.run, row.epoch, row.attempt, row.steps, row.loss, row.accuracy, row.val_loss,
            row.val_accuracy, has_nan(row), row.learning_rate, row.training_count,
            row.validation_count, row.weights_digest, row.epoch_seconds, row.training_seconds,
            row.exchange_seconds, row.data_seconds, row.evaluation_seconds, row.images_per_second,
            row.finished_utc, row.stopped_seconds, row.val_top_5_accuracy);
}

void upsert_steps(SQLite::Database& db, std::span<const StepRow> rows) {
    if (rows.empty()) return;
    SQLite::Statement statement(
        db, "INSERT OR REPLACE INTO steps (run, step, loss, accuracy) VALUES (?1, ?2, ?3, ?4)");
    for (const StepRow& row : rows) {
        bind_values(statement, row.run, row.step, row.loss, row.accuracy);
        statement.exec();
        statement.reset();
    }
}

void upsert_metrics(SQLite::Database& db, std::span<const MetricRow> rows) {
    for (const MetricRow& row : rows) {
        execute(db,
                "INSERT OR REPLACE INTO metrics (run, name, value, is_nan) VALUES (?1, ?2, ?3, ?4)",
                row.run, row.name, row.value, std::isnan(row.value));
    }
}

void upsert_artifact(SQLite::Database& db, const ArtifactRow& row) {
    execute(db, R"sql(
        INSERT OR REPLACE INTO artifacts (run, kind, path, bytes, sha256, epoch)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6))sql",
            row.run, row.kind, row.path, row.bytes, row.sha256, row.epoch);
}

void list_run(SQLite::Database& db, std::string_view experiment, std::string_view run) {
    execute(db, R"sql(
        INSERT OR IGNORE INTO experiment_runs (experiment, run)
        SELECT ?1, run FROM runs WHERE run = ?2)sql",
            experiment, run);
}

void upsert_run(SQLite::Database& db, const RunRow& row) {
    const nlohmann::json expected = expected_figures(row.expected);
    execute(db, R"sql(
            INSERT INTO runs (run, experiment, name, title, notes, source, seed, config_digest,
                data_digest, dataset, architecture, optimizer, batch_size, shards, exchange,
                parameters, trainable_parameters, flops_per_image, epochs, training_samples,
                validation_samples, test_samples, validates_on_test_set, selected_on_test_set,
                expected, printed_val_accuracy, printed_test_accuracy, effective_config, state,
                created_utc, design_name, design_digest, initial_weights_sha256, settings,
                parent_run)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
                ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, 'queued', ?29, ?30, ?31, ?32, ?33,
                ?34)
            ON CONFLICT (run) DO UPDATE SET
                experiment = excluded.experiment, name = excluded.name, title = excluded.title,
                source = excluded.source, seed = excluded.seed,
                config_digest = excluded.config_digest, data_digest = excluded.data_digest,
                dataset = excluded.dataset, architecture = excluded.architecture,
                optimizer = excluded.optimizer, batch_size = excluded.batch_size,
                shards = excluded.shards, exchange = excluded.exchange,
                parameters = excluded.parameters,
                trainable_parameters = excluded.trainable_parameters,
                flops_per_image = excluded.flops_per_image, epochs = excluded.epochs,
                training_samples = excluded.training_samples,
                validation_samples = excluded.validation_samples,
                test_samples = excluded.test_samples,
                validates_on_test_set = excluded.validates_on_test_set,
                selected_on_test_set = excluded.selected_on_test_set,
                expected = excluded.expected,
                printed_val_accuracy = excluded.printed_val_accuracy,
                printed_test_accuracy = excluded.printed_test_accuracy,
                effective_config = excluded.effective_config, design_name = excluded.design_name,
                design_digest = excluded.design_digest,
                initial_weights_sha256 = excluded.initial_weights_sha256,
                settings = excluded.settings)sql",
            row.run, row.experiment, row.name, row.title, row.notes, row.source, row.seed,
            row.config_digest, row.data_digest, row.dataset, row.architecture, row.optimizer,
            row.batch_size, row.shards, row.exchange, row.parameters, row.trainable_parameters,
            row.flops_per_image, row.epochs, row.training_samples, row.validation_samples,
            row.test_samples, row.validates_on_test_set, row.selected_on_test_set, row.expected,
            last_figure(expected, "val_accuracy"), last_figure(expected, "test_accuracy"),
            row.effective_config, row.created_utc, row.design_name, row.design_digest,
            row.initial_weights_sha256, row.settings, row.parent_run);
    list_run(db, row.experiment, row.run);
}

std::string describe(const ResumePoint& point) {
    if (point.steps_of_next_epoch == 0) return fmt::format("after epoch {}", point.epochs_finished);
    return fmt::format("in epoch {} after {} step{}", point.epochs_finished + 1,
                       point.steps_of_next_epoch, point.steps_of_next_epoch == 1 ? "" : "s");
}

RunDatabase::RunDatabase(const std::filesystem::path& path, DatabaseAccess access,
                         std::chrono::milliseconds wait)
    : connection_(new Connection{path, open_run_database(path, access, wait)}) {}
RunDatabase::~RunDatabase() = default;
RunDatabase::RunDatabase(RunDatabase&& other) noexcept = default;

void RunDatabase::put_experiment(const ExperimentRow& row) {
    connection_->write([&](SQLite::Database& db) {
        execute(db, R"sql(
            INSERT INTO experiments (name, title, file, file_digest, created_utc)
            VALUES (?1, ?2, ?3, ?4, ?5)
            ON CONFLICT (name) DO UPDATE SET
                title = excluded.title, file = excluded.file, file_digest = excluded.file_digest)sql",
                row.name, row.title, row.file, row.file_digest, row.created_utc);
    });
}

void RunDatabase::put_run(const RunRow& row) {
    expected_figures(row.expected);  // before anything is locked
    connection_->write([&](SQLite::Database& db) { upsert_run(db, row); });
}

void RunDatabase::list_runs(std::string_view experiment, std::span<const std::string> runs) {
    connection_->write([&](SQLite::Database& db) {
        for (const std::string& run : runs) list_run(db, experiment, run);
    });
}

void RunDatabase::put_designs(std::span<const RunRow> rows) {
    connection_->write([&](SQLite::Database& db) {
        for (const RunRow& row : rows) {
            execute(db, R"sql(
                UPDATE runs SET design_name = ?2, design_digest = ?3, initial_weights_sha256 = ?4
                WHERE run = ?1)sql",
                    row.run, row.design_name, row.design_digest, row.initial_weights_sha256);
        }
    });
}

void RunDatabase::put_settings(std::span<const RunRow> rows) {
    if (rows.empty()) return;
    connection_->write([&](SQLite::Database& db) {
        for (const RunRow& row : rows)
            execute(db, "UPDATE runs SET settings = ?2 WHERE run = ?1", row.run, row.settings);
    });
}

void RunDatabase::record_epoch(const EpochRow& epoch, std::span<const StepRow> steps,
                               std::span<const ArtifactRow> artifacts) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, epoch.run, epoch.attempt);
        upsert_epoch(db, epoch);
        update_totals(db, epoch.run);
        upsert_steps(db, steps);
        upsert_artifacts(db, artifacts);
    });
}

void RunDatabase::record_checkpoint(int attempt, std::span<const StepRow> steps,
                                    const ArtifactRow& checkpoint) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, checkpoint.run, attempt);
        upsert_steps(db, steps);
        upsert_artifacts(db, {&checkpoint, 1});
    });
}

void RunDatabase::record(int attempt, std::span<const RecordedRows> all) {
    if (all.empty()) return;
    connection_->write([&](SQLite::Database& db) {
        for (const RecordedRows& rows : all) {
            require_newest_attempt(db, rows.run, attempt);
            if (rows.epoch) upsert_epoch(db, *rows.epoch);
            if (rows.epoch) update_totals(db, rows.run);
            upsert_steps(db, rows.steps);
            upsert_artifacts(db, rows.artifacts);
        }
    });
}

void RunDatabase::end_attempt(std::string_view run, int attempt, const AttemptEnd& end) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, run, attempt);
        set_state(db, run, end.state);
        execute(db, R"sql(
            UPDATE attempts SET outcome = ?3, cause = ?4, finished_utc = ?5
            WHERE run = ?1 AND attempt = ?2)sql",
                run, attempt, to_string(end.state), end.cause, end.utc);
        upsert_metrics(db, end.metrics);
        upsert_artifacts(db, end.artifacts);
        insert_event(
            db, {std::string(run), attempt, end.utc, std::string(to_string(end.state)), end.cause});
    });
}

void RunDatabase::put_artifacts(int attempt, std::span<const ArtifactRow> rows) {
    if (rows.empty()) return;
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, rows.front().run, attempt);
        upsert_artifacts(db, rows);
    });
}

void RunDatabase::add_event(const EventRow& row) {
    connection_->write([&](SQLite::Database& db) {
        if (row.attempt > 0) require_newest_attempt(db, row.run, row.attempt);
        insert_event(db, row);
    });
}

std::optional<std::int64_t> RunDatabase::newer_version() const {
    const std::int64_t version = connection_->use(version_of);
    return version > kSchemaVersion ? std::optional(version) : std::nullopt;
}

void RunDatabase::require_writable_version() const {
    connection_->use(
        [&](SQLite::Database& db) { storage::require_writable_version(db, connection_->path); });
}

void RunDatabase::wait_at_most(std::chrono::milliseconds wait) {
    connection_->use(
        [&](SQLite::Database& db) { db.setBusyTimeout(static_cast<int>(wait.count())); });
}

}  // namespace lockstep::storage
