// What the database has of one run.

#include <fmt/format.h>

#include <utility>

#include "storage/database/database_connection.hpp"
#include "storage/database/row_reader.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {
namespace {

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
                   .stopped_seconds = row.optional_figure(),
                   .val_top_5_accuracy = row.optional_figure()};
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

RunDetails RunDatabase::run_details(std::string_view run) const {
    RunDetails details;
    read_at_once([&] {
        auto row = find_run(run);
        if (!row) {
            throw StorageError(StorageError::Kind::missing, fmt::format("there is no run {}", run));
        }
        details = {std::move(*row), attempts(run), epochs(run), metrics(run),
                   artifacts(run),  events(run),   tags(run),   experiments_of(run)};
    });
    return details;
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
                images_per_second, finished_utc, stopped_seconds, val_top_5_accuracy
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
