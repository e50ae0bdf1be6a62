// Claims on a run, and rows that wait beside the database: who holds it, and what is not taken in.

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/run_check.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::AttemptRow;
using storage::RunState;

constexpr const char* kEndedSilently = "ended without a word";

std::string folder_name(const CheckedRun& checked) { return where(checked, checked.files.folder); }

std::string words_on(const AttemptRow& attempt) {
    return fmt::format("attempt {}, on {}, process {}", attempt.attempt, attempt.host, attempt.pid);
}

bool is_from_future(const AttemptRow& attempt) {
    const auto renewed = storage::unix_seconds(attempt.heartbeat_utc);
    const auto now = storage::unix_seconds(storage::utc_now());
    return renewed && now && *renewed - *now > attempt.lease_seconds;
}

std::string death_of(const AttemptRow& attempt) {
    if (attempt.outcome != "running") return "its last attempt has ended";
    if (fate_of(attempt) == ProcessFate::gone)
        return fmt::format("its process is gone ({})", words_on(attempt));
    return fmt::format("its lease ran out, its last heartbeat is of {} ({})",
                       attempt.heartbeat_utc.empty() ? "long ago" : attempt.heartbeat_utc,
                       words_on(attempt));
}

// `newest` may be null.
void release(CheckedRun& checked, const AttemptRow* newest) {
    const std::string why = newest != nullptr ? death_of(*newest) : "it has no attempt";
    const bool is_mended =
        report_finding(checked, Severity::warning, folder_name(checked),
                       fmt::format("it says `running`, and nobody trains it: {}", why),
                       "becomes `interrupted`; the same command goes on", [&] {
                           checked.database.set_state_by_hand(checked.run.run, checked.run.state,
                                                              RunState::interrupted, kEndedSilently,
                                                              storage::utc_now());
                       });
    if (is_mended) checked.run.state = RunState::interrupted;
}

// Of a run that does not say `running`, or of an attempt that is not its newest.
void end_stale_claims(CheckedRun& checked, const std::vector<AttemptRow>& attempts) {
    const auto is_stale = [&](const AttemptRow& each) {
        return each.outcome == "running" &&
               (checked.run.state != RunState::running || each.attempt != attempts.back().attempt);
    };
    const auto stale = std::ranges::find_if(attempts, is_stale);
    if (stale == attempts.end()) return;
    report_finding(checked, Severity::warning, folder_name(checked),
                   fmt::format("a claim that nobody holds any more ({})", words_on(*stale)),
                   "the attempt becomes `interrupted`", [&] {
                       checked.database.set_state_by_hand(checked.run.run, checked.run.state,
                                                          checked.run.state, kEndedSilently,
                                                          storage::utc_now());
                   });
}

void take_in(const CheckedRun& checked, const AttemptRow& newest) {
    storage::RunSpool(checked.files.folder, newest.attempt).take_in_all(checked.database);
}

}  // namespace

void report_holder(const CheckedRun& checked) {
    const auto attempts = checked.database.attempts(checked.run.run);
    const bool is_late =
        !attempts.empty() && attempts.back().outcome == "running" && is_lease_out(attempts.back());
    const std::string late =
        is_late ? fmt::format(", though its lease ran out ({})", words_on(attempts.back())) : "";
    checked.findings.report(Severity::note, folder_name(checked),
                            fmt::format("is being trained{}; its files were not looked at", late));
}

bool check_claims(CheckedRun& checked) {
    const auto attempts = checked.database.attempts(checked.run.run);
    const AttemptRow* const newest = attempts.empty() ? nullptr : &attempts.back();
    if (checked.run.state == RunState::running && newest != nullptr && is_alive(*newest)) {
        checked.findings.report(
            Severity::note, folder_name(checked),
            fmt::format("is being trained by its lease ({}{}); its files were not looked at",
                        words_on(*newest),
                        is_from_future(*newest)
                            ? "; its last heartbeat is from the future: `lockstep run` watches "
                              "whether another one comes"
                            : ""));
        return false;
    }
    if (checked.run.state == RunState::running)
        release(checked, newest);
    else
        end_stale_claims(checked, attempts);
    return true;
}

bool check_spools(const CheckedRun& checked) {
    const auto attempts = checked.database.attempts(checked.run.run);
    bool are_all_in = true;
    for (const auto& spool : storage::spools_in(checked.files.folder)) {
        const auto& attempt = spool.first;
        const auto& file = spool.second;
        const bool is_known = !attempts.empty() && attempt <= attempts.back().attempt;
        if (!is_known) {
            report_finding(checked, Severity::warning, where(checked, file),
                           "rows of an attempt that the database does not know",
                           "moved to lost+found",
                           [&] { move_to_lost_and_found(checked.store, file); });
            continue;
        }
        std::error_code error;
        if (are_all_in && !fs::exists(file, error)) continue;  // taken in with the one before
        are_all_in &= report_finding(
            checked, Severity::warning, where(checked, file),
            "rows that the database has not taken in; the run's files were not looked at",
            "they are taken in, as the next start does",
            [&] { take_in(checked, attempts.back()); });
    }
    return are_all_in;
}

}  // namespace lockstep::pipeline
