#include "pipeline/care/store_check.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>
#include <string>
#include <system_error>

#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/run_check.hpp"
#include "pipeline/care/run_removal.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/database/database_check.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::RunStore;
using storage::StorageError;

// ---- the database ------------------------------------------------------------------------------

bool is_being_trained(const RunStore& store) {
    std::error_code error;
    for (fs::directory_iterator run(store.root() / "runs", error), end; !error && run != end;
         run.increment(error)) {
        if (holder_of(run->path()) == RunHolder::somebody) return true;
    }
    return false;
}

void rebuild(const RunStore& store) {
    storage::rebuild_database(store.database(), place_for_lost(store, store.database()), [&] {
        if (!is_being_trained(store)) return;
        throw Failure(kExitInputOutput, "runs of this store are being trained; stop them first");
    });
}

// True if the runs in it can be told.
bool check_database(const RunStore& store, Findings& findings) {
    const std::string at = store.relative_path(store.database());
    const storage::DatabaseCheck check = storage::check_database(store.database());
    if (check.had_hot_journal) {
        findings.report(Severity::note, at,
                        "a writer was killed in a transaction; it has been rolled back");
    }
    if (!check.refusal.empty()) {
        findings.report(Severity::error, at, check.refusal);
        return false;
    }
    if (check.newer_version) {
        findings.report(findings.repairs() ? Severity::error : Severity::note, at,
                        fmt::format("a newer Lockstep wrote it (its version is {}, this one knows "
                                    "{}): only that one can mend this store",
                                    *check.newer_version, storage::kSchemaVersion));
        if (findings.repairs()) return false;
    }
    if (!check.damage.empty()) {
        const std::string what =
            fmt::format("damaged: {}{}", check.damage.front(),
                        check.damage.size() == 1
                            ? ""
                            : fmt::format(" (and {} more lines)", check.damage.size() - 1));
        return findings.report(Severity::error, at, what,
                               "put aside; a new one is made of all rows that can be read",
                               [&] { rebuild(store); });
    }
    if (check.rows_without_parent > 0) {
        findings.report(Severity::warning, at,
                        fmt::format("{} rows belong to no run", check.rows_without_parent),
                        "they are removed", [&] { storage::mend_rows(store.database()); });
    }
    if (check.differing_totals > 0) {
        findings.report(Severity::warning, at,
                        fmt::format("{} run{} whose totals are not those of {} epochs: a copy made "
                                    "in the midst of a transaction, without its -journal?",
                                    check.differing_totals, check.differing_totals == 1 ? "" : "s",
                                    check.differing_totals == 1 ? "its" : "their"),
                        "counted anew", [&] { storage::mend_rows(store.database()); });
    }
    if (check.bytes_behind_end > 0) {
        findings.report(Severity::warning, at,
                        fmt::format("{} bytes behind the end of the database: a copy made in the "
                                    "midst of a transaction, without its -journal?",
                                    check.bytes_behind_end));
    }
    return true;
}

// ---- what belongs to nothing -------------------------------------------------------------------

void report_orphan(const RunStore& store, storage::RunDatabase& database, const StrayFile& stray,
                   Findings& findings) {
    const std::string at = store.relative_path(stray.path);
    const auto report = [&] {
        findings.report(Severity::warning, at, "the database knows no such run",
                        "moved to lost+found", [&] { move_to_lost_and_found(store, stray.path); });
    };
    const bool is_orphan = findings.repairs() ? do_if_orphan(database, stray.path, report)
                                              : holder_of(stray.path) != RunHolder::somebody;
    if (!is_orphan) return findings.report(Severity::note, at, "a run that begins at this moment");
    if (!findings.repairs()) report();
}

// `database`: null where there is none yet. Then nothing is moved: the folder may be no store at
// all, and what a run that begins now makes has no row to be known by.
void report_stray(const RunStore& store, storage::RunDatabase* database, const StrayFile& stray,
                  Findings& findings) {
    const std::string at = store.relative_path(stray.path);
    switch (stray.kind) {
        case StrayKind::temporary_in_use:
            return findings.report(Severity::note, at, "a file in the making");
        case StrayKind::temporary_abandoned:
            findings.report(Severity::warning, at, "a file in the making, whose process is gone",
                            "removed", [&] { remove_abandoned(stray.path); });
            return;
        case StrayKind::run_folder:
            if (database != nullptr) return report_orphan(store, *database, stray, findings);
            return findings.report(Severity::note, at, "empty, and there is no database yet");
        case StrayKind::unknown:
            if (database == nullptr)
                return findings.report(Severity::warning, at, "nothing that Lockstep knows");
            findings.report(Severity::warning, at, "nothing that Lockstep knows",
                            "moved to lost+found",
                            [&] { move_to_lost_and_found(store, stray.path); });
            return;
    }
}

void check_strays(const RunStore& store, storage::RunDatabase* database, Findings& findings) {
    const auto read_runs = [&] {
        return database == nullptr ? std::set<std::string>() : run_ids(*database);
    };
    for (const StrayFile& stray : stray_files(store, read_runs))
        report_stray(store, database, stray, findings);
}

// Only told: what lies outside of the store is not what `--repair` is asked to mend.
void check_leftovers(const MpiPlaces& places, Findings& findings) {
    for (const fs::path& leftover : mpi_leftovers(places)) {
        findings.report(Severity::note, leftover.string(),
                        fmt::format("{} bytes that a killed mpirun of this user may have left; "
                                    "the next `lockstep run` removes them",
                                    bytes_of(leftover)));
    }
}

// ---- runs --------------------------------------------------------------------------------------

void check_runs(const RunStore& store, storage::RunDatabase& database, Findings& findings) {
    for (const storage::RunRow& run : database.runs()) {
        if (storage::is_safe_run_id(run.run)) {
            check_run(store, database, run, findings);
            continue;
        }
        findings.report(Severity::error, store.relative_path(store.database()),
                        "a run whose id is no safe name of a folder");
    }
}

// A store that was made, and in which nothing was trained yet.
bool is_new(const RunStore& store) {
    std::error_code error;
    const auto size = fs::file_size(store.database(), error);
    const bool is_empty = error || size == 0;
    return is_empty && bytes_of(store.root() / "runs") == 0;
}

}  // namespace

void check_store(const RunStore& store, const MpiPlaces& places, Findings& findings) {
    if (is_new(store)) {
        check_strays(store, nullptr, findings);
    } else if (check_database(store, findings)) {
        storage::RunDatabase database(store.database(), findings.repairs()
                                                            ? storage::DatabaseAccess::read_write
                                                            : storage::DatabaseAccess::read_only);
        check_runs(store, database, findings);
        check_strays(store, &database, findings);
    }
    check_leftovers(places, findings);
}

}  // namespace lockstep::pipeline
