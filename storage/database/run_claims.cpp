// Who may train a run, and who may write of it: claims, leases, and attempts that were overtaken.

#include <fmt/format.h>

#include <vector>

#include "storage/database/attempt_rows.hpp"
#include "storage/database/database_connection.hpp"
#include "storage/database/run_database.hpp"
#include "storage/database/run_database_schema.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::storage {
namespace {

int newest_attempt(SQLite::Database& db, std::string_view run) {
    SQLite::Statement newest(db, "SELECT coalesce(max(attempt), 0) FROM attempts WHERE run = ?1");
    bind_values(newest, run);
    newest.executeStep();
    return newest.getColumn(0).getInt();
}

std::string words_on(SQLite::Database& db, std::string_view run, int attempt) {
    SQLite::Statement row(db,
                          "SELECT host, job_id, pid FROM attempts WHERE run = ?1 AND attempt = ?2");
    bind_values(row, run, attempt);
    if (!row.executeStep()) return "it is not in the database";
    const std::string job = row.getColumn(1).getString();
    return fmt::format("attempt {} has taken over, on {}{} (process {})", attempt,
                       row.getColumn(0).getString(), job.empty() ? "" : ", job " + job,
                       row.getColumn(2).getInt64());
}

// What a killed attempt wrote beyond the point where training goes on.
void delete_after(SQLite::Database& db, std::string_view run, const ResumePoint& resume) {
    execute(db, "DELETE FROM epochs WHERE run = ?1 AND epoch > ?2", run, resume.epochs_finished);
    execute(db, "DELETE FROM steps WHERE run = ?1 AND step >= ?2", run, resume.steps_taken);
    execute(db, "DELETE FROM artifacts WHERE run = ?1 AND epoch > ?2", run, resume.epochs_finished);
    execute(db, "DELETE FROM metrics WHERE run = ?1", run);
    if (!resume.is_start()) return;
    execute(db, "DELETE FROM artifacts WHERE run = ?1", run);
    execute(db, "UPDATE runs SET parent_run = '' WHERE run = ?1", run);
}

// The run is this attempt's from now on.
int insert_newest_attempt(SQLite::Database& db, std::string_view run, const AttemptRow& row) {
    const int attempt = newest_attempt(db, run) + 1;
    set_state(db, run, RunState::running);
    execute(db, R"sql(
        UPDATE attempts SET outcome = 'interrupted', cause = 'ended without a word'
        WHERE run = ?1 AND outcome = 'running')sql",
            run);
    insert_attempt(db, run, attempt, row);
    return attempt;
}

void settle_start(SQLite::Database& db, std::string_view run, int attempt,
                  const ResumePoint& resume) {
    if (!resume.previous_sha256.empty()) promote_previous_row(db, run, resume.previous_sha256);
    delete_after(db, run, resume);
    update_totals(db, run);
    execute(db, "UPDATE attempts SET first_epoch = ?3 WHERE run = ?1 AND attempt = ?2", run,
            attempt, resume.epochs_finished + 1);
    insert_event(db,
                 {std::string(run), attempt, utc_now(), resume.is_start() ? "started" : "resumed",
                  resume.is_start() ? "" : describe(resume)});
}

}  // namespace

void promote_previous_row(SQLite::Database& db, std::string_view run, std::string_view sha256) {
    execute(db, R"sql(
        UPDATE OR REPLACE artifacts
        SET kind = ?2, path = replace(path, 'checkpoint.prev.h5', 'checkpoint.h5')
        WHERE run = ?1 AND kind = ?3 AND sha256 = ?4)sql",
            run, kCheckpointArtifact, kPreviousCheckpointArtifact, sha256);
    execute(db, "DELETE FROM artifacts WHERE run = ?1 AND kind = ?2", run,
            kPreviousCheckpointArtifact);
}

void require_newest_attempt(SQLite::Database& db, std::string_view run, int attempt) {
    const int newest = newest_attempt(db, run);
    if (newest == attempt) return;
    throw StorageError(
        StorageError::Kind::taken_over,
        fmt::format("run {}, attempt {}: {}", run, attempt, words_on(db, run, newest)));
}

void set_state(SQLite::Database& db, std::string_view run, RunState state) {
    SQLite::Statement statement(db, "UPDATE runs SET state = ?2 WHERE run = ?1");
    bind_values(statement, run, to_string(state));
    if (statement.exec() == 0)
        throw StorageError(StorageError::Kind::missing, fmt::format("no run {}", run));
}

void insert_attempt(SQLite::Database& db, std::string_view run, int attempt,
                    const AttemptRow& row) {
    execute(db, R"sql(
        INSERT INTO attempts (run, attempt, host, boot_id, pid, job_id, ranks, lockstep_version,
            onednn_version, mpi_version, isa, simd_target, first_epoch, started_utc, outcome, cause,
            pid_namespace, process_start, job_token, heartbeat_utc, lease_seconds)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 'running', '', ?15,
            ?16, ?17, ?18, ?19))sql",
            run, attempt, row.host, row.boot_id, row.pid, row.job_id, row.ranks,
            row.lockstep_version, row.onednn_version, row.mpi_version, row.isa, row.simd_target,
            row.first_epoch, row.started_utc, row.pid_namespace, row.process_start, row.job_token,
            row.started_utc, row.lease_seconds);
}

void insert_event(SQLite::Database& db, const EventRow& row) {
    execute(db, "INSERT INTO events (run, attempt, utc, kind, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            row.run, row.attempt, row.utc, row.kind, row.text);
}

std::optional<RunClaim> RunDatabase::claim_next_run(std::span<const std::string> candidates,
                                                    const AttemptRow& claimant,
                                                    const MayClaim& may_claim) {
    std::optional<RunClaim> claim;
    connection_->write([&](SQLite::Database& db) {
        for (std::size_t candidate = 0; candidate < candidates.size() && !claim; ++candidate) {
            const std::string& run = candidates[candidate];
            const auto row = find_run(run);
            if (!row) continue;
            const std::vector<AttemptRow> all = attempts(run);
            if (!may_claim(candidate, row->state, all.empty() ? nullptr : &all.back())) continue;
            claim = {candidate, insert_newest_attempt(db, run, claimant), row->state};
        }
    });
    return claim;
}

void RunDatabase::start_attempt(std::string_view run, int attempt, const ResumePoint& resume) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, run, attempt);
        settle_start(db, run, attempt, resume);
    });
}

void RunDatabase::give_back(std::string_view run, int attempt, RunState state,
                            const std::string& cause) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, run, attempt);
        set_state(db, run, state == RunState::running ? RunState::interrupted : state);
        execute(db, R"sql(
            UPDATE attempts SET outcome = 'interrupted', cause = ?3, finished_utc = ?4
            WHERE run = ?1 AND attempt = ?2)sql",
                run, attempt, cause, utc_now());
    });
}

int RunDatabase::begin_attempt(const AttemptRow& row, const ResumePoint& resume) {
    int attempt = 0;
    connection_->write([&](SQLite::Database& db) {
        attempt = insert_newest_attempt(db, row.run, row);
        settle_start(db, row.run, attempt, resume);
    });
    return attempt;
}

void RunDatabase::renew_lease(std::string_view run, int attempt) {
    connection_->write([&](SQLite::Database& db) {
        require_newest_attempt(db, run, attempt);
        execute(db, R"sql(
            UPDATE attempts SET heartbeat_utc = ?3, heartbeats = heartbeats + 1
            WHERE run = ?1 AND attempt = ?2)sql",
                run, attempt, utc_now());
    });
}

void RunDatabase::require_newest(std::string_view run, int attempt) const {
    connection_->use([&](SQLite::Database& db) { require_newest_attempt(db, run, attempt); });
}

}  // namespace lockstep::storage
