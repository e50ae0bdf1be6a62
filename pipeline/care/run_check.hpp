#pragma once

// One run of the store: does its state say the truth, and are its files those that its rows tell
// of?

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/care/findings.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// What all checks of a run work on. The database may be read-only where nothing is repaired.
struct CheckedRun {
    const storage::RunStore& store;
    storage::RunDatabase& database;
    Findings& findings;
    storage::RunRow run;
    storage::RunFiles files;
    int attempt = 0;         // the newest one; a later one makes all that was judged void
    bool is_locked = false;  // false: by nobody, or there are no locks here
};

// Findings::report(). Without the run's lock a training may begin while its files are looked at:
// then `mend` is called inside a transaction, in which none can, and only if none has.
bool report_finding(const CheckedRun& checked, Severity severity, const std::string& where,
                    const std::string& what, const std::string& repair,
                    const std::function<void()>& mend);

// Gives a file its row, on behalf of the run's newest attempt.
void put_artifact(const CheckedRun& checked, const storage::ArtifactRow& row);

// A file's place in the store, as findings name it.
std::string where(const CheckedRun& checked, const std::filesystem::path& file);

// Reports, and mends, all that is wrong with the run. A run that is being trained is left alone. To
// mend, the run's lock is held.
void check_run(const storage::RunStore& store, storage::RunDatabase& database,
               const storage::RunRow& run, Findings& findings);

// ---- its parts ---------------------------------------------------------------------------------

// A claim whose holder is dead, and one that was overtaken, are ended. False if somebody trains the
// run, as far as can be told from here: then it is left alone.
bool check_claims(CheckedRun& checked);

// Rows that wait beside the database (run_spool.hpp) are taken in. False if some still wait.
bool check_spools(const CheckedRun& checked);

// Of a run whose lock is held.
void report_holder(const CheckedRun& checked);

// checkpoint.h5 and checkpoint.prev.h5 beside their rows: a good one is never taken away, and one
// that is damaged is replaced by the one before.
void check_checkpoints(const CheckedRun& checked);

// best.h5, final.h5, predictions.h5 and effective.toml beside their rows. After the checkpoints:
// weights are made anew from them where they give the recorded bytes.
void check_results(const CheckedRun& checked);

// Whatever state it has by now.
void set_state(const CheckedRun& checked, storage::RunState state, std::string_view cause);
// The run cannot go on: it becomes `failed`, so that it never silently begins anew.
void give_up(const CheckedRun& checked, std::string_view cause);

}  // namespace lockstep::pipeline
