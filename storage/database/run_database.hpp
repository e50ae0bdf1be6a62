#pragma once

// The run database, lockstep.db: every epoch of every run, readable by people and by any SQLite
// program. docs/database_schema.md describes its tables and views.
//
// Several processes may write at the same time (runs side by side): every write is one short
// transaction that waits up to 30 s for its turn. Readers never change the file. Every write is
// keyed, so that doing it again after a resume changes a row and never doubles it.
//
// One connection: not for several threads, and not to be carried over a fork.
//
// Every function throws StorageError:
//   missing         no database (read_only), or no such run
//   cannot_create   the file cannot be made
//   no_permission   the file, its folder or its file system is read-only
//   bad_data        damaged, of another program, or of a newer Lockstep: left untouched
//   io              locked for longer than 30 s, disk full, ...

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::storage {

// "Lkst": application_id of a run database, shown by file(1).
inline constexpr std::int32_t kApplicationId = 0x4c6b7374;
inline constexpr int kSchemaVersion = 3;  // user_version; docs/database_schema.md

enum class DatabaseAccess { read_only, read_write };

// How far a run stands when an attempt goes on with it. All zero: it starts from the beginning.
struct ResumePoint {
    int epochs_finished = 0;
    std::int64_t steps_taken = 0;          // in all epochs
    std::int64_t steps_of_next_epoch = 0;  // of them, in the one after those finished
    std::string previous_sha256 =
        {};  // where checkpoint.prev.h5 has become checkpoint.h5: its digest

    bool is_start() const { return steps_taken == 0 && epochs_finished == 0; }
};

// "after epoch 3", "in epoch 4 after 512 steps".
std::string describe(const ResumePoint& point);

// How an attempt ended.
struct AttemptEnd {
    RunState state = RunState::finished;  // finished, interrupted or failed
    std::string cause;                    // one line
    std::string utc;
    std::vector<MetricRow> metrics;      // of the whole run, at its end
    std::vector<ArtifactRow> artifacts;  // written at its end
};

// Everything about one run, from one moment. (Steps aside: they may be many.)
struct RunDetails {
    RunRow run;
    std::vector<AttemptRow> attempts;
    std::vector<EpochRow> epochs;
    std::vector<MetricRow> metrics;
    std::vector<ArtifactRow> artifacts;
    std::vector<EventRow> events;
};

struct QueryLimits {
    std::int64_t instructions = 2'000'000'000;  // of SQLite's virtual machine; well under a minute
    std::int64_t rows = 1'000'000;
};

class RunDatabase {
public:
    // Opens `path`, and with read_write creates it where it is missing or empty. The path is taken
    // literally ("?", "#", "file:" mean nothing).
    RunDatabase(const std::filesystem::path& path, DatabaseAccess access);
    ~RunDatabase();
    RunDatabase(RunDatabase&& other) noexcept;
    RunDatabase& operator=(RunDatabase&&) = delete;
    RunDatabase(const RunDatabase&) = delete;

    // ---- writing; each call is one transaction -------------------------------------------------

    // Inserts or updates by name; created_utc stays the first one.
    void put_experiment(const ExperimentRow& row);
    // Inserts a run as `queued`, or updates its description; state and created_utc stay.
    // Throws std::invalid_argument if row.expected is neither "" nor a JSON object.
    void put_run(const RunRow& row);

    // Writes down the designs of rows that are older than schema version 3.
    void put_designs(std::span<const RunRow> rows);

    // Starts an attempt and returns its number. Marks the run `running`; an attempt that never
    // ended becomes `interrupted`; everything after the point of resumption is deleted: rows of
    // later epochs, steps and artifacts, and the metrics of the run's end.
    int begin_attempt(const AttemptRow& row, const ResumePoint& resume);

    // Records an epoch with its steps and the artifacts that were made durable before. A
    // checkpoint's row takes the place of the one before, which becomes `checkpoint_prev`.
    void record_epoch(const EpochRow& epoch, std::span<const StepRow> steps,
                      std::span<const ArtifactRow> artifacts);

    // Records a checkpoint within an epoch, with its steps.
    void record_checkpoint(std::span<const StepRow> steps, const ArtifactRow& checkpoint);

    // Ends an attempt: the states of attempt and run, final metrics and artifacts.
    void end_attempt(std::string_view run, int attempt, const AttemptEnd& end);

    void put_artifacts(std::span<const ArtifactRow> rows);
    void add_event(const EventRow& row);

    // ---- care: fsck, rm, gc --------------------------------------------------------------------

    // Deletes a run with all that belongs to it, and an experiment that has no run then.
    void remove_run(std::string_view run);
    void remove_artifact(std::string_view run, std::string_view kind);
    // checkpoint.prev.h5, of this SHA-256, has become checkpoint.h5: so does its row.
    void promote_previous_checkpoint(std::string_view run, std::string_view sha256);
    // Sets a state that no attempt set, and writes the cause down as an event. An attempt that
    // never ended becomes `interrupted`.
    void set_state_by_hand(std::string_view run, RunState state, std::string_view cause,
                           std::string_view utc);
    std::int64_t unused_bytes() const;  // of the file, that shrink() would give back
    void shrink();                      // needs as much free space as the file is long

    // ---- reading -------------------------------------------------------------------------------

    // Runs `read` inside one transaction, so that all it reads is from one moment. Keep it short:
    // a writer's commit waits for it.
    void read_at_once(const std::function<void()>& read) const;

    std::vector<ExperimentRow> experiments() const;                    // by name
    std::vector<RunRow> runs(std::string_view experiment = {}) const;  // "" all; oldest first
    std::optional<RunRow> find_run(std::string_view run) const;        // by its whole id
    // Runs whom a user may mean: the one with this id, else those of this name, else those whose id
    // begins so. Empty: none; several: ambiguous.
    std::vector<RunRow> match_runs(std::string_view text) const;
    RunDetails run_details(std::string_view run) const;  // by its whole id; missing

    std::vector<AttemptRow> attempts(std::string_view run) const;
    std::vector<EpochRow> epochs(std::string_view run) const;
    std::vector<StepRow> steps(std::string_view run) const;
    std::vector<MetricRow> metrics(std::string_view run) const;
    std::vector<ArtifactRow> artifacts(std::string_view run) const;
    std::vector<EventRow> events(std::string_view run) const;
    std::optional<ArtifactRow> artifact(std::string_view run, std::string_view kind) const;
    // SHA-256 of the checkpoints that are known, newest first: for load_newest_good_checkpoint().
    std::vector<std::string> checkpoint_digests(std::string_view run) const;

    // The views, as they stand in docs/database_schema.md.
    Table runs_table(std::string_view experiment = {}) const;  // v_runs; "" all
    Table epochs_table(std::string_view run) const;            // v_epochs

    // One statement of a user, on a copy in memory: it can neither change nor hold up anything.
    // Throws also
    //   no_permission   if it would write, attach, or set something
    //   bad_data        if it is no SQL, several statements, or beyond the limits
    Table run_query(std::string_view sql, const QueryLimits& limits = {}) const;

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

}  // namespace lockstep::storage
