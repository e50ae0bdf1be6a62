#include "pipeline/doctor/store_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <system_error>

#include "pipeline/planning/checkpoint_size.hpp"
#include "pipeline/training/stored_runs.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::LockSupport;

// Of one run, in copies of its parameters: two checkpoints of weights, slots (two, if there are
// no more) and two best weights each; a third checkpoint in the making; best.h5 and final.h5.
std::int64_t copies_of(const PlannedRun& run) {
    const std::int64_t slots = slot_count(run.run.config.train.optimizer);
    return 3 * (3 + std::max<std::int64_t>(slots, 2)) + 2;
}

constexpr std::int64_t kClasses = 100;          // at most, of the data sets that are known
constexpr std::int64_t kBesides = 4 * 1000000;  // bytes: images of the report, rows, logs
constexpr double kEarliest = 1735689600.0;      // 2025-01-01
constexpr double kLatest = 4102444800.0;        // 2100-01-01
constexpr double kClockSlack = 300.0;           // seconds

}  // namespace

fs::path existing_folder(const fs::path& store) {
    std::error_code error;
    fs::path folder = fs::absolute(store, error).lexically_normal();
    while (!fs::is_directory(folder, error) && folder.has_relative_path()) {
        folder = folder.parent_path();
    }
    return folder;
}

std::int64_t planned_bytes(const Plan& plan) {
    std::int64_t bytes = 0;
    for (const PlannedRun& run : plan.runs) {
        bytes += run.parameters * 4 * copies_of(run) + run.estimate.test_samples * kClasses * 4 +
                 kBesides;
    }
    return bytes;
}

Diagnosis check_file_system(std::optional<std::int64_t> type) {
    if (!type) return {Health::warning, "file system", "not told"};
    const storage::FileSystemKind kind = storage::file_system_kind(*type);
    const std::string name =
        kind.name.empty() ? fmt::format("type 0x{:x}", *type) : std::string(kind.name);
    if (kind.name == "tmpfs" || kind.name == "ramfs") {
        return {Health::warning, "file system", name, "the store is gone after the next boot"};
    }
    if (!kind.is_network) return {Health::ok, "file system", name};
    std::string advice = "shared between machines: one job at a time, unless locks work on it";
    if (kind.name == "Lustre") advice += " (mounted with -o flock)";
    if (kind.name == "NFS") advice += " (version 4, without nolock; `sync` on the server)";
    if (kind.name == "CIFS" || kind.name == "SMB" || kind.name == "SMB2") {
        advice += " (mounted without nobrl)";
    }
    return {Health::warning, "file system", name, advice};
}

std::string file_system_warning(std::optional<std::int64_t> type) {
    if (!type || !storage::file_system_kind(*type).is_network) return {};
    const Diagnosis diagnosis = check_file_system(type);
    return fmt::format("the store lies on {}, {}; `lockstep doctor --store DIR` tries its locks",
                       diagnosis.found, diagnosis.advice);
}

Diagnosis check_locks(LockSupport support) {
    switch (support) {
        case LockSupport::works:
            return {Health::ok, "file locks", "work"};
        case LockSupport::missing:
            return {Health::problem, "file locks", "the file system offers none",
                    "two jobs could train one run: put the store on another file system, or start "
                    "one job at a time"};
        case LockSupport::does_not_exclude:
            return {Health::problem, "file locks", "do not exclude each other",
                    "as above; the file system pretends"};
        case LockSupport::not_tried:
            break;
    }
    return {Health::warning, "file locks", "not tried: no file can be made there"};
}

Diagnosis check_space(std::optional<std::int64_t> free, std::optional<std::int64_t> quota,
                      std::int64_t wanted) {
    if (!free) return {Health::warning, "free space", "not told"};
    const std::int64_t room = quota ? std::min(*free, *quota) : *free;
    Diagnosis found{Health::ok, "free space",
                    fmt::format("{}{}", bytes_text(static_cast<double>(room)),
                                quota && *quota < *free ? ", by the quota" : "")};
    if (wanted > 0) {
        found.found +=
            fmt::format("; the plan wants at most {}", bytes_text(static_cast<double>(wanted)));
    }
    if (room < wanted) {
        found.health = Health::problem;
        found.advice = "`lockstep gc`, or another --store";
    }
    return found;
}

Diagnosis check_clock(double now, std::optional<double> newest) {
    if (now < kEarliest || now > kLatest) {
        return {Health::problem, "clock", fmt::format("{:.0f} seconds since 1970", now),
                "the year is wrong: set the clock"};
    }
    if (newest && *newest > now + kClockSlack) {
        return {Health::warning, "clock",
                fmt::format("{:.0f} s behind the store's newest row", *newest - now),
                "set the clock; results are not touched by it, their times are"};
    }
    return {Health::ok, "clock", "sane"};
}

Diagnosis check_writable(const fs::path& folder) {
    if (::faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) {
        return {Health::ok, "store", fmt::format("{} can be written", folder.string())};
    }
    return {Health::problem, "store", fmt::format("{} cannot be written", folder.string()),
            "another --store, or its modes"};
}

std::optional<double> newest_row(const storage::RunDatabase& database) {
    std::string newest;
    for (const storage::RunRow& run : database.runs()) {
        newest = std::max(newest, run.created_utc);
        for (const auto& attempt : database.attempts(run.run)) {
            newest = std::max({newest, attempt.started_utc, attempt.finished_utc});
        }
    }
    return storage::unix_seconds(newest);
}

Diagnosis check_data(const Plan& plan, const storage::RunDatabase& database) {
    PlannedData data;
    std::string others;
    int same = 0;
    for (const PlannedRun& planned : plan.runs) {
        const auto row = database.find_run(planned.id);
        if (!row || row->data_digest.empty()) continue;
        if (data(planned, row->data_digest)) {
            ++same;
        } else {
            others += (others.empty() ? "" : ", ") + row->run;
        }
    }
    if (others.empty()) {
        return {Health::ok, "data",
                fmt::format("those of the {} stored run{} of this experiment", same,
                            same == 1 ? "" : "s")};
    }
    return {Health::problem, "data", "other data than, or none of, those of " + others,
            "name the right --data; or --fresh trains anew on these"};
}

}  // namespace lockstep::pipeline
