#include "pipeline/care/run_check.hpp"

#include <fmt/format.h>

#include <exception>
#include <system_error>

#include "pipeline/care/run_holder.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::RunState;

std::string folder_name(const CheckedRun& checked) { return where(checked, checked.files.folder); }

void forget_files(const CheckedRun& checked) {
    for (const auto& row : checked.database.artifacts(checked.run.run)) {
        checked.database.remove_artifact(row.run, row.kind);
    }
    if (checked.run.state != RunState::finished) give_up(checked, "its folder was lost");
}

// Where the folder is gone as a whole, one line tells it.
void check_lost_folder(const CheckedRun& checked) {
    if (checked.database.artifacts(checked.run.run).empty()) return;  // never begun
    const bool is_finished = checked.run.state == RunState::finished;
    report_finding(checked, Severity::error, folder_name(checked), "the run's folder is gone",
                   is_finished ? "its figures stay, its files are forgotten"
                               : "becomes `failed`; --retry-failed starts it anew",
                   [&] { forget_files(checked); });
}

void check_files(const CheckedRun& checked) {
    std::error_code error;
    if (!fs::is_directory(checked.files.folder, error)) return check_lost_folder(checked);
    check_checkpoints(checked);
    check_results(checked);
}

// Lockstep took notes of any bytes once; other programs do not read such a database.
void check_note(const CheckedRun& checked) {
    const std::string& note = checked.run.notes;
    if (is_utf8(note)) return;
    const std::string readable = printable(note);
    report_finding(
        checked, Severity::warning, folder_name(checked),
        fmt::format("its note is no UTF-8: \"{}\"; other programs cannot read it", readable),
        "such bytes become \\xNN in it", [&] {
            checked.database.annotate(checked.run.run,
                                      {.added_tags = {}, .removed_tags = {}, .note = readable});
        });
}

// The lock while something is mended; nothing where nothing is, or there is no folder for it.
std::optional<fs::path> folder_to_lock(const CheckedRun& checked) {
    std::error_code error;
    const bool has_folder = fs::is_directory(checked.files.folder, error);
    if (!checked.findings.repairs() || !has_folder) return std::nullopt;
    return checked.files.folder;
}

}  // namespace

bool report_finding(const CheckedRun& checked, Severity severity, const std::string& where,
                    const std::string& what, const std::string& repair,
                    const std::function<void()>& mend) {
    return checked.findings.report(severity, where, what, repair, [&] {
        if (checked.is_locked) return mend();
        checked.database.write_at_once([&] {
            if (newest_attempt(checked.database, checked.run.run) != checked.attempt) {
                throw Failure(kExitCannotCreate, "a training of it has begun meanwhile");
            }
            mend();
        });
    });
}

std::string where(const CheckedRun& checked, const fs::path& file) {
    return checked.store.relative_path(file);
}

void set_state(const CheckedRun& checked, RunState state, std::string_view cause) {
    const auto now = checked.database.find_run(checked.run.run);  // it may have been mended already
    if (!now) return;
    checked.database.set_state_by_hand(checked.run.run, now->state, state, cause,
                                       storage::utc_now());
}

void give_up(const CheckedRun& checked, std::string_view cause) {
    set_state(checked, RunState::failed, cause);
}

void put_artifact(const CheckedRun& checked, const storage::ArtifactRow& row) {
    const auto attempts = checked.database.attempts(checked.run.run);
    checked.database.put_artifacts(attempts.empty() ? 0 : attempts.back().attempt, {&row, 1});
}

void check_run(const storage::RunStore& store, storage::RunDatabase& database,
               const storage::RunRow& run, Findings& findings) {
    CheckedRun checked{store, database, findings, run, store.run_files(run.run), 0, false};
    if (holder_of(checked.files.folder) == RunHolder::somebody) return report_holder(checked);
    std::optional<RunLock> lock;
    try {
        if (const auto folder = folder_to_lock(checked)) lock = RunLock::require(*folder);
    } catch (const std::exception& error) {
        findings.report(Severity::error, folder_name(checked), error.what());
        return;
    }
    checked.is_locked = lock && lock->is_held();
    // What was read of all runs at the start may be minutes old by now.
    std::optional<storage::RunRow> now;
    database.read_at_once([&] {
        now = database.find_run(run.run);
        checked.attempt = newest_attempt(database, run.run);
    });
    if (!now) return;
    checked.run = *now;
    check_note(checked);
    // A checkpoint's row may wait in a spool: files are compared with rows once all are in.
    if (check_claims(checked) && check_spools(checked)) check_files(checked);
}

}  // namespace lockstep::pipeline
