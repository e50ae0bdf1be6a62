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
//   bad_data        damaged, of another program, or of a newer Lockstep (for reading: only where a
//                   table or column is gone that this version reads): left untouched
//   locked          by another program for longer than 30 s (wait_at_most() changes that)
//   full            no space is left
//   taken_over      the attempt that writes is not its run's newest any more: nothing was written
//   io              anything else

#include <chrono>
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
inline constexpr int kSchemaVersion = 9;  // user_version; docs/database_schema.md

inline constexpr std::chrono::milliseconds kUsualWait{30000};  // for other users of the database

enum class DatabaseAccess {
    read_only,
    read_write,
    read_write_again,  // as read_write, of a database that this process has checked for damage
};

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

// A run that an attempt now holds.
struct RunClaim {
    std::size_t candidate = 0;  // its place among those asked for
    int attempt = 0;
    RunState state_before = RunState::queued;
};

// What a run takes over from another one of the same settings but for its epochs.
struct RunExtension {
    std::string run;
    std::string parent;
    std::vector<EpochRow> epochs;  // these three in rows of the run
    std::vector<StepRow> steps;
    std::vector<ArtifactRow> artifacts;
};

// What a user says of a run.
struct Annotation {
    std::vector<std::string> added_tags{};
    std::vector<std::string> removed_tags{};
    std::optional<std::string> note{};  // in the place of the one before
};

struct QueryLimits {
    std::int64_t instructions = 2'000'000'000;  // of SQLite's virtual machine; well under a minute
    std::int64_t rows = 1'000'000;
};

class RunDatabase {
public:
    // Opens `path`, and with read_write creates it where it is missing or empty. The path is taken
    // literally ("?", "#", "file:" mean nothing). `wait`: as wait_at_most(), for the opening too.
    RunDatabase(const std::filesystem::path& path, DatabaseAccess access,
                std::chrono::milliseconds wait = kUsualWait);
    ~RunDatabase();
    RunDatabase(RunDatabase&& other) noexcept;
    RunDatabase& operator=(RunDatabase&&) = delete;
    RunDatabase(const RunDatabase&) = delete;

    // ---- writing; each call is one transaction -------------------------------------------------

    // Inserts or updates by name; created_utc stays the first one.
    void put_experiment(const ExperimentRow& row);
    // Inserts a run as `queued`, or updates its description; state, created_utc, notes and parent
    // stay.
    // Throws std::invalid_argument if row.expected is neither "" nor a JSON object.
    void put_run(const RunRow& row);

    // These runs are in the experiment's list (put_run() says so of its own); those that are not
    // stored are passed over.
    void list_runs(std::string_view experiment, std::span<const std::string> runs);

    // Writes down the designs of rows that are older than schema version 3.
    void put_designs(std::span<const RunRow> rows);
    // Writes down the settings of rows that are older than schema version 5.
    void put_settings(std::span<const RunRow> rows);

    // ---- claims: docs/database_schema.md. Every write of an attempt checks, in its transaction,
    // that no newer one has begun, and throws taken_over otherwise.

    // Whether a candidate may be claimed, from its state and its newest attempt (null: it has
    // none). Asked inside the transaction: it must be quick, and write nothing here.
    using MayClaim = std::function<bool(std::size_t candidate, RunState, const AttemptRow*)>;
    // Claims the first run of `candidates` (ids that are stored) that may be: an attempt that never
    // ended becomes `interrupted`, a new one begins (`claimant`, but for run and attempt), and the
    // run is `running`. Of several processes that ask at the same time one gets it.
    std::optional<RunClaim> claim_next_run(std::span<const std::string> candidates,
                                           const AttemptRow& claimant, const MayClaim& may_claim);
    // Settles where a claimed attempt begins: what lies after that point is deleted, rows of later
    // epochs, steps and artifacts, and the metrics of the run's end.
    void start_attempt(std::string_view run, int attempt, const ResumePoint& resume);
    // Ends a claim before anything was trained; the run is in `state` again.
    void give_back(std::string_view run, int attempt, RunState state, const std::string& cause);
    // claim_next_run() of a run whatever holds it, and start_attempt(), in one.
    int begin_attempt(const AttemptRow& row, const ResumePoint& resume);
    void renew_lease(std::string_view run, int attempt);
    // Reads. Throws taken_over unless the attempt is its run's newest.
    void require_newest(std::string_view run, int attempt) const;

    // Records an epoch with its steps and the artifacts that were made durable before. A
    // checkpoint's row takes the place of the one before, which becomes `checkpoint_prev`.
    void record_epoch(const EpochRow& epoch, std::span<const StepRow> steps,
                      std::span<const ArtifactRow> artifacts);

    // Records a checkpoint within an epoch, with its steps.
    void record_checkpoint(int attempt, std::span<const StepRow> steps,
                           const ArtifactRow& checkpoint);

    // What `attempt` records, and what it takes in of those before it (run_spool.hpp): in this
    // order, in one transaction.
    void record(int attempt, std::span<const RecordedRows> all);

    // A run that was started from the beginning has these epochs already, all of `attempt`.
    void record_extension(int attempt, const RunExtension& extension);

    // Ends an attempt: the states of attempt and run, final metrics and artifacts.
    void end_attempt(std::string_view run, int attempt, const AttemptEnd& end);

    void put_artifacts(int attempt, std::span<const ArtifactRow> rows);  // of one run
    void add_event(const EventRow& row);

    // Throws StorageError (missing) for an unknown run, std::invalid_argument for a tag that is no
    // safe name (run_store.hpp).
    void annotate(std::string_view run, const Annotation& annotation);

    // ---- care: fsck, rm, gc --------------------------------------------------------------------

    // Runs `work` inside one transaction that has the right to write: what it reads stays so until
    // it ends, as no run is registered, claimed or recorded meanwhile; what it writes is there as a
    // whole or not at all. Keep it short: every writer waits for it.
    void write_at_once(const std::function<void()>& work);

    // Deletes a run with all that belongs to it, and an experiment that has no run then.
    void remove_run(std::string_view run);
    void remove_artifact(std::string_view run, std::string_view kind);
    // checkpoint.prev.h5, of this SHA-256, has become checkpoint.h5: so does its row.
    void promote_previous_checkpoint(std::string_view run, std::string_view sha256);
    // Sets a state that no attempt set, and writes the cause down as an event. An attempt that
    // never ended becomes `interrupted`. Nothing happens if the state is not `before` any more.
    void set_state_by_hand(std::string_view run, RunState before, RunState state,
                           std::string_view cause, std::string_view utc);
    std::int64_t unused_bytes() const;  // of the file, that shrink() would give back
    void shrink();                      // needs as much free space as the file is long
    // Puts a run of another store in the place of the one with its id, if there is one: all its
    // rows. Its experiment must be there. An attempt that lasts comes in as `interrupted`.
    // Throws StorageError (locked) if an attempt of the one here lasts.
    void import_run(const RunDetails& details, std::span<const StepRow> steps);

    // How long every call waits for its turn from now on.
    void wait_at_most(std::chrono::milliseconds wait);

    // ---- reading -------------------------------------------------------------------------------

    // user_version of the file where it is newer than kSchemaVersion: what is read of it is what
    // this version knows.
    std::optional<std::int64_t> newer_version() const;
    // Throws StorageError (bad_data), with what to do, where read_write would for a newer version.
    void require_writable_version() const;

    // Runs `read` inside one transaction, so that all it reads is from one moment. Keep it short:
    // a writer's commit waits for it.
    void read_at_once(const std::function<void()>& read) const;

    std::vector<ExperimentRow> experiments() const;  // by name
    // Those in the experiment's list, whoever trained them; "" all; oldest first.
    std::vector<RunRow> runs(std::string_view experiment = {}) const;
    std::optional<RunRow> find_run(std::string_view run) const;  // by its whole id
    // Names of those in whose lists the run is, sorted bytewise.
    std::vector<std::string> experiments_of(std::string_view run) const;
    // Runs whom a user may mean: the one with this id, else those of this name, else those of a
    // design of this name (all its seeds), else those whose id begins so, else those that
    // "begins...ends" is short for. Empty: none; several: ambiguous.
    std::vector<RunRow> match_runs(std::string_view text) const;
    RunDetails run_details(std::string_view run) const;  // by its whole id; missing

    std::vector<std::string> running_runs() const;  // ids of those whose state says so
    // Those of a config digest, oldest first.
    std::vector<RunRow> runs_of_config(std::string_view config_digest) const;
    // How many epochs finished runs on these data were planned for, where fewer than `below`; the
    // most first, each once.
    std::vector<int> finished_epochs(std::string_view data_digest, int below) const;
    std::vector<std::string> tags(std::string_view run) const;  // sorted bytewise

    std::vector<AttemptRow> attempts(std::string_view run) const;
    std::vector<EpochRow> epochs(std::string_view run) const;
    std::vector<StepRow> steps(std::string_view run) const;
    // They in stretches of equal length, the last one aside: at most `most`, which is >= 1.
    std::vector<StepStretch> step_stretches(std::string_view run, std::int64_t most) const;
    std::vector<MetricRow> metrics(std::string_view run) const;
    std::vector<ArtifactRow> artifacts(std::string_view run) const;
    std::vector<EventRow> events(std::string_view run) const;
    std::optional<ArtifactRow> artifact(std::string_view run, std::string_view kind) const;
    // SHA-256 of the checkpoints that are known, newest first: for load_newest_good_checkpoint().
    std::vector<std::string> checkpoint_digests(std::string_view run) const;

    // The views, as they stand in docs/database_schema.md.
    Table runs_table(std::string_view experiment = {}) const;  // v_runs; as runs()
    Table epochs_table(std::string_view run) const;            // v_epochs

    // One statement of a user, on a copy in memory: it can neither change nor hold up anything.
    // Throws also
    //   no_permission   if it would write, attach, or set something
    //   bad_statement   if it is no SQL, several statements, or beyond the limits
    Table run_query(std::string_view sql, const QueryLimits& limits = {}) const;

private:
    struct Connection;
    std::unique_ptr<Connection> connection_;
};

}  // namespace lockstep::storage
