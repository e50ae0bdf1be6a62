#include "pipeline/ranks/mpi_leftovers.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "storage/files/file_system.hpp"
#include "storage/files/process_life.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kYoung{2};
// Whoever makes a job's folder makes one in it at once.
constexpr std::chrono::seconds kYoungEmpty{1};
// The kernel's number of the first name space of processes (PROC_PID_INIT_INO).
constexpr const char* kFirstNamespace = "pid:[4026531836]";

using SystemTime = std::chrono::system_clock::time_point;

SystemTime last_change(const struct stat& status) {
    return SystemTime(std::chrono::duration_cast<SystemTime::duration>(
        std::chrono::seconds(status.st_mtim.tv_sec) +
        std::chrono::nanoseconds(status.st_mtim.tv_nsec)));
}

// A process without mpirun has a folder jf.NUMBER, with a folder in it as long as it lives.
bool is_empty_job(const fs::path& entry) {
    std::error_code error;
    return entry.filename().string().starts_with("jf.") && fs::is_empty(entry, error) && !error;
}

// This user's, and not of this very moment.
bool is_own_and_old(const fs::path& path, std::uint32_t user) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || status.st_uid != user) return false;
    const auto age = std::chrono::system_clock::now() - last_change(status);
    return is_empty_job(path) ? age > kYoungEmpty : age > kYoung;
}

std::optional<long> number_in(std::string_view text) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// What stands between a beginning and an end.
std::optional<long> number_between(std::string_view text, std::string_view begin,
                                   std::string_view end) {
    if (text.size() < begin.size() + end.size()) return std::nullopt;
    if (!text.starts_with(begin) || !text.ends_with(end)) return std::nullopt;
    return number_in(text.substr(begin.size(), text.size() - begin.size() - end.size()));
}

bool sees_all_processes(const MpiPlaces& places) {
    std::error_code error;
    return fs::read_symlink(places.proc / "self/ns/pid", error) == kFirstNamespace;
}

// When the machine began, by its clock of today.
std::optional<SystemTime> boot_time(const MpiPlaces& places) {
    std::ifstream file(places.proc / "stat");
    for (std::string word; file >> word;) {
        std::time_t seconds = 0;
        if (word == "btime" && file >> seconds)
            return std::chrono::system_clock::from_time_t(seconds);
    }
    return std::nullopt;
}

struct NumberedProcess {
    std::string name;
    pid_t id = 0;  // here
};
using ProcessesByNumber = std::multimap<long, NumberedProcess>;

// By every number that it has: a process in a container has another one there, and its mpirun named
// its folder by that.
ProcessesByNumber living_processes(const MpiPlaces& places) {
    ProcessesByNumber processes;
    for (const fs::path& process : storage::entries_of(places.proc)) {
        const auto own = number_in(process.filename().string());
        if (!own) continue;
        NumberedProcess each{"", static_cast<pid_t>(*own)};
        std::set<long> numbers{*own};
        std::ifstream status(process / "status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("Name:\t")) each.name = line.substr(6);
            if (!line.starts_with("NSpid:")) continue;
            std::istringstream words(line.substr(6));
            for (long number = 0; words >> number;) numbers.insert(number);
        }
        for (const long number : numbers) processes.emplace(number, each);
    }
    return processes;
}

// mpirun and the daemons of Open MPI 4 and 5.
bool is_named_like_mpi(const std::string& name) {
    constexpr std::array<std::string_view, 3> kParts{"mpi", "orte", "prte"};
    return std::ranges::any_of(kParts,
                               [&](auto part) { return name.find(part) != std::string::npos; });
}

// Numbers come again. A later process has the number of the folder's maker if it began after the
// folder's last change; by its name too, since the clock may have been set meanwhile.
bool is_later_process(const NumberedProcess& process, const fs::path& folder,
                      const MpiPlaces& places) {
    struct stat status {};
    const auto boot = boot_time(places);
    const std::int64_t ticks = storage::process_start(process.id, places.proc);
    if (is_named_like_mpi(process.name) || ticks == 0 || !boot) return false;
    if (::lstat(folder.c_str(), &status) != 0) return false;
    const auto start = *boot + std::chrono::seconds(ticks / ::sysconf(_SC_CLK_TCK));
    return start > last_change(status) + kYoung;
}

// Of Open MPI 4.
fs::path session_folder(const MpiPlaces& places) {
    return places.sessions / fmt::format("ompi.{}.{}", places.host, places.user);
}

// Open MPI 5: its folders begin with the name of the program that makes them: of mpirun, which
// becomes prterun, of one that runs by itself, of a daemon.
constexpr std::array<std::string_view, 3> kPrograms{"prterun", "prte", "prted"};

constexpr const char* kKeeper = "lockstep.";  // of an MpiSweep; the number of its process follows

// Open MPI 4: ompi.HOST.USER/pid.PROCESS, and jf.NUMBER; 5: PROGRAM.HOST.PROCESS.USER
std::vector<fs::path> sessions(const MpiPlaces& places) {
    std::vector<fs::path> found;
    const ProcessesByNumber living = living_processes(places);
    const auto has_gone = [&](const std::optional<long>& number, const fs::path& folder) {
        if (!number || *number <= 0) return false;
        const auto [begin, end] = living.equal_range(*number);
        return std::all_of(begin, end, [&](const auto& each) {
            return is_later_process(each.second, folder, places);
        });
    };
    for (const fs::path& entry : storage::entries_of(session_folder(places))) {
        const std::string name = entry.filename();
        if (is_empty_job(entry) || has_gone(number_between(name, "pid.", ""), entry) ||
            has_gone(number_between(name, kKeeper, ""), entry))
            found.push_back(entry);
    }
    const std::string end = fmt::format(".{}", places.user);
    for (const fs::path& entry : storage::entries_of(places.sessions)) {
        const std::string name = entry.filename();
        for (const std::string_view program : kPrograms) {
            const std::string begin = fmt::format("{}.{}.", program, places.host);
            if (has_gone(number_between(name, begin, end), entry)) found.push_back(entry);
        }
    }
    return found;
}

// KIND.HOST.USER.JOB.RANK, or osc_sm.HOST.JOB.WINDOW.RANK
bool is_segment(const std::string& name, const MpiPlaces& places) {
    const std::array beginnings{fmt::format("vader_segment.{}.{}.", places.host, places.user),
                                fmt::format("sm_segment.{}.{}.", places.host, places.user),
                                fmt::format("osc_sm.{}.", places.host)};
    return std::ranges::any_of(beginnings,
                               [&](const auto& each) { return name.starts_with(each); });
}

// The path of the file that a line of /proc/PID/maps is about; "" if of none.
std::string mapped_file(const std::string& line) {
    const std::size_t place = line.find('/');
    return place == std::string::npos ? "" : line.substr(place);
}

// The files in shared memory that a process has mapped.
std::set<std::string> mapped_by(const fs::path& process, const MpiPlaces& places) {
    std::set<std::string> mapped;
    const std::string prefix = places.shared_memory.string() + "/";
    std::ifstream maps(process / "maps");
    for (std::string line; std::getline(maps, line);) {
        const std::string file = mapped_file(line);
        if (file.starts_with(prefix)) mapped.insert(file.substr(0, file.find(' ')));
    }
    return mapped;
}

// Of all processes. Those of other users cannot map a file of mode 0600; those of this user's that
// keep their maps to themselves (init, the daemons of a login) are no ranks, which read each
// other's memory by the same right.
std::set<std::string> mapped_files(const MpiPlaces& places) {
    std::set<std::string> mapped;
    for (const fs::path& process : storage::entries_of(places.proc)) {
        if (!number_in(process.filename().string())) continue;
        mapped.merge(mapped_by(process, places));
    }
    return mapped;
}

std::vector<fs::path> segments(const MpiPlaces& places) {
    std::vector<fs::path> all;
    std::vector<fs::path> found;
    for (const fs::path& entry : storage::entries_of(places.shared_memory))
        if (is_segment(entry.filename(), places)) all.push_back(entry);
    if (all.empty()) return found;
    const std::set<std::string> mapped = mapped_files(places);
    std::ranges::copy_if(all, std::back_inserter(found), [&](const fs::path& segment) {
        return !mapped.contains(segment.string());
    });
    return found;
}

bool has_files(const fs::path& folder) {
    std::error_code error;
    const fs::recursive_directory_iterator entries(folder, error);
    return error || std::any_of(begin(entries), end(entries),
                                [](const auto& entry) { return !entry.is_directory(); });
}

// Open MPI 5, of processes without mpirun: ompi.HOST.USER/jf.0/JOB, with nothing but folders in it.
// Whose it is nothing tells, but such a process has mapped a segment of the same number:
// sm_segment.HOST.USER.JOB.RANK, with JOB in hexadecimal.
fs::path lone_jobs_folder(const MpiPlaces& places) { return session_folder(places) / "jf.0"; }

std::string beginning_of_segments(const MpiPlaces& places) {
    return places.shared_memory / fmt::format("sm_segment.{}.{}.", places.host, places.user);
}

std::set<std::string> names_of_jobs(const std::set<std::string>& mapped, const MpiPlaces& places) {
    std::set<std::string> names;
    const std::string begin = beginning_of_segments(places);
    for (const std::string& file : mapped) {
        if (!file.starts_with(begin)) continue;
        std::uint32_t job = 0;
        const char* const end = file.data() + file.size();
        if (std::from_chars(file.data() + begin.size(), end, job, 16).ec == std::errc())
            names.insert(std::to_string(job));
    }
    return names;
}

std::vector<fs::path> lone_jobs(const MpiPlaces& places) {
    std::vector<fs::path> found;
    for (const fs::path& entry : storage::entries_of(lone_jobs_folder(places)))
        if (number_in(entry.filename().string()) && !has_files(entry)) found.push_back(entry);
    if (found.empty()) return found;
    const std::set<std::string> living = names_of_jobs(mapped_files(places), places);
    std::erase_if(found, [&](const fs::path& job) { return living.contains(job.filename()); });
    return found;
}

void sweep(const MpiPlaces& places) {
    std::error_code ignored;
    for (const fs::path& path : mpi_leftovers(places)) {
        if (is_empty_job(path)) {
            fs::remove(path, ignored);  // not if it is in use by now
        } else {
            fs::remove_all(path, ignored);
            // Just changed, so it would pass for one that is being made: goes only where it is
            // empty.
            if (path.parent_path() == lone_jobs_folder(places))
                fs::remove(path.parent_path(), ignored);
        }
    }
    // Open MPI leaves the folder above with its last session; it goes only where it is empty.
    fs::remove(session_folder(places), ignored);
}

}  // namespace

MpiPlaces mpi_places() {
    MpiPlaces places;
    const char* folder = std::getenv("TMPDIR");
    if (folder != nullptr && *folder != '\0') places.sessions = folder;
    places.host = storage::host_name();
    places.host = places.host.substr(0, places.host.find('.'));  // as Open MPI has it
    places.user = ::geteuid();
    return places;
}

std::vector<fs::path> mpi_leftovers(const MpiPlaces& places) {
    if (!sees_all_processes(places)) return {};
    std::vector<fs::path> found = segments(places);
    for (const auto& folders : {sessions(places), lone_jobs(places)})
        found.insert(found.end(), folders.begin(), folders.end());
    std::erase_if(found, [&](const fs::path& path) { return !is_own_and_old(path, places.user); });
    return found;
}

void OwnMpiSession::note() {
    const auto names = names_of_jobs(mapped_by(places_.proc / "self", places_), places_);
    if (!names.empty()) job_ = lone_jobs_folder(places_) / *names.begin();
}

OwnMpiSession::~OwnMpiSession() {
    std::error_code ignored;
    if (job_.empty() || !fs::remove(job_, ignored)) return;
    // They go only where they are empty.
    if (fs::remove(job_.parent_path(), ignored))
        fs::remove(job_.parent_path().parent_path(), ignored);
}

MpiSweep::MpiSweep(MpiPlaces places) : places_(std::move(places)) {
    sweep(places_);
    keep_folder();
}

// Others may remove the folder until ours is in it.
void MpiSweep::keep_folder() {
    constexpr int kTries = 100;
    const fs::path folder = session_folder(places_);
    const fs::path keeper = folder / fmt::format("{}{}", kKeeper, ::getpid());
    for (int i = 0; i < kTries && keeper_.empty(); ++i) {
        ::mkdir(folder.c_str(), S_IRWXU);  // as Open MPI makes it
        if (::mkdir(keeper.c_str(), S_IRWXU) == 0) keeper_ = keeper;
    }
}

MpiSweep::~MpiSweep() {
    std::error_code ignored;
    if (!keeper_.empty()) fs::remove(keeper_, ignored);
    try {
        sweep(places_);
    } catch (...) {  // out of memory, say: the next start sweeps
    }
}

}  // namespace lockstep::pipeline
