#include "pipeline/ranks/mpi_leftovers.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>

#include "pipeline/ranks/process_state.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kYoung{2};

// The entries of a folder; none where it cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    fs::directory_iterator entry(folder, error);
    while (!error && entry != fs::directory_iterator()) {
        entries.push_back(entry->path());
        entry.increment(error);
    }
    return entries;
}

// This user's, and not of this very moment.
bool is_own_and_old(const fs::path& path, unsigned user) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || status.st_uid != user) return false;
    return std::time(nullptr) - status.st_mtime > kYoung.count();
}

// Takes `prefix` off the text.
bool take(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::optional<pid_t> take_process(std::string_view& text) {
    pid_t process = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), process);
    if (error != std::errc() || process <= 0) return {};
    text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
    return process;
}

bool has_gone(pid_t process) { return ::kill(process, 0) != 0 && errno == ESRCH; }

// A process without mpirun has a folder jf.NUMBER, with a folder in it as long as it lives.
bool is_empty_job(const fs::path& entry) {
    std::error_code error;
    return entry.filename().string().starts_with("jf.") && fs::is_empty(entry, error) && !error;
}

// Open MPI 4: ompi.HOST.USER/pid.PROCESS, and jf.NUMBER; 5: prte.HOST.PROCESS.USER
void add_sessions(const MpiPlaces& places, std::vector<fs::path>& found) {
    for (const fs::path& entry :
         entries_of(places.sessions / fmt::format("ompi.{}.{}", places.host, places.user))) {
        const std::string name = entry.filename();
        std::string_view text = name;
        if (is_empty_job(entry)) found.push_back(entry);
        if (!take(text, "pid.")) continue;
        const auto process = take_process(text);
        if (process && text.empty() && has_gone(*process)) found.push_back(entry);
    }
    for (const fs::path& entry : entries_of(places.sessions)) {
        const std::string name = entry.filename();
        std::string_view text = name;
        if (!take(text, fmt::format("prte.{}.", places.host))) continue;
        const auto process = take_process(text);
        if (process && text == fmt::format(".{}", places.user) && has_gone(*process))
            found.push_back(entry);
    }
}

// KIND.HOST.USER.JOB.RANK, with the user in hex.
bool is_segment(const std::string& name, const MpiPlaces& places) {
    constexpr std::array kKinds{"vader_segment", "sm_segment", "osc_sm"};
    return std::ranges::any_of(kKinds, [&](const char* kind) {
        return name.starts_with(fmt::format("{}.{}.{:x}.", kind, places.host, places.user));
    });
}

// The files below a folder that processes have mapped.
std::set<std::string> mapped_below(const fs::path& folder) {
    std::set<std::string> mapped;
    const std::string prefix = folder.string() + "/";
    for (const fs::path& process : entries_of("/proc")) {
        std::ifstream maps(process / "maps");  // those of others cannot map a file of mode 0600
        for (std::string line; std::getline(maps, line);) {
            const std::size_t place = line.find(prefix);
            if (place != std::string::npos) mapped.insert(line.substr(place));
        }
    }
    return mapped;
}

void add_segments(const MpiPlaces& places, std::vector<fs::path>& found) {
    std::vector<fs::path> segments;
    for (const fs::path& entry : entries_of(places.shared_memory)) {
        if (is_segment(entry.filename(), places)) segments.push_back(entry);
    }
    if (segments.empty()) return;
    const std::set<std::string> mapped = mapped_below(places.shared_memory);
    std::ranges::copy_if(segments, std::back_inserter(found), [&](const fs::path& segment) {
        return !mapped.contains(segment.string());
    });
}

void sweep() {
    const MpiPlaces places = mpi_places();
    std::error_code ignored;
    for (const fs::path& path : mpi_leftovers(places)) {
        if (is_empty_job(path)) {
            fs::remove(path, ignored);  // not if it is in use by now
        } else {
            fs::remove_all(path, ignored);
        }
    }
    // Open MPI leaves the folder above with its last session; it goes only where it is empty.
    fs::remove(places.sessions / fmt::format("ompi.{}.{}", places.host, places.user), ignored);
}

}  // namespace

MpiPlaces mpi_places() {
    const char* folder = std::getenv("TMPDIR");
    return {.sessions = folder == nullptr || *folder == '\0' ? "/tmp" : folder,
            .shared_memory = "/dev/shm",
            .host = host_name(),
            .user = ::geteuid()};
}

std::vector<fs::path> mpi_leftovers(const MpiPlaces& places) {
    std::vector<fs::path> found;
    add_sessions(places, found);
    add_segments(places, found);
    std::erase_if(found, [&](const fs::path& path) { return !is_own_and_old(path, places.user); });
    return found;
}

MpiSweep::MpiSweep() { sweep(); }

MpiSweep::~MpiSweep() {
    try {
        sweep();
    } catch (...) {  // out of memory, say: the next start sweeps
    }
}

}  // namespace lockstep::pipeline
