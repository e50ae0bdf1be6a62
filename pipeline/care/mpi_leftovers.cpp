#include "pipeline/care/mpi_leftovers.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "pipeline/care/stray_files.hpp"
#include "pipeline/recording/process_identity.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// The kernel's number of the first namespace of processes (PROC_PID_INIT_INO).
constexpr const char* kFirstNamespace = "pid:[4026531836]";
// So that nothing is taken that is made at this moment.
constexpr std::chrono::minutes kLeastAge{1};

bool sees_all_processes(const LeftoverPlaces& places) {
    std::error_code error;
    const fs::path own = fs::read_symlink(places.proc / "self/ns/pid", error);
    return !error && own == kFirstNamespace;
}

std::optional<long> number_of(std::string_view text) {
    long number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_of_user(const fs::path& path, std::uint32_t user) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && status.st_uid == user;
}

bool is_old(const fs::path& path) {
    std::error_code error;
    const auto written = fs::last_write_time(path, error);
    return !error && fs::file_time_type::clock::now() - written >= kLeastAge;
}

// Names of the files in shared memory that processes have mapped; nothing if one of this user's
// keeps its maps to itself.
std::optional<std::set<std::string>> mapped_names(const LeftoverPlaces& places) {
    std::set<std::string> names;
    for (const fs::path& process : entries_of(places.proc)) {
        if (!number_of(process.filename().string())) continue;
        std::ifstream maps(process / "maps");
        std::error_code error;
        if (!maps && is_of_user(process, places.user) && fs::exists(process, error)) {
            return std::nullopt;
        }
        for (std::string line; std::getline(maps, line);) {
            const std::size_t path = line.find('/');
            if (path == std::string::npos) continue;
            const std::string mapped = line.substr(path);
            if (!mapped.starts_with(places.shared_memory.string())) continue;
            std::string name = mapped.substr(mapped.rfind('/') + 1);
            names.insert(name.substr(0, name.find(' ')));
        }
    }
    return names;
}

void add_segments(const LeftoverPlaces& places, std::vector<Leftover>& found) {
    const auto mapped = mapped_names(places);
    if (!mapped) return;
    for (const fs::path& path : entries_of(places.shared_memory)) {
        const std::string name = path.filename().string();
        const auto is_of = [&](std::string_view kind) {
            return name.starts_with(fmt::format("{}.{}.{}.", kind, places.host, places.user));
        };
        const bool is_segment = is_of("vader_segment") || is_of("sm_segment");
        if (!is_segment || mapped->contains(name)) continue;
        if (is_of_user(path, places.user) && is_old(path)) found.push_back({path, bytes_of(path)});
    }
}

// Every number of every process: one in a container has another number there, and its mpirun named
// its folder by that.
std::set<long> process_numbers(const LeftoverPlaces& places) {
    std::set<long> numbers;
    for (const fs::path& process : entries_of(places.proc)) {
        const auto own = number_of(process.filename().string());
        if (!own) continue;
        numbers.insert(*own);
        std::ifstream status(process / "status");
        for (std::string line; std::getline(status, line);) {
            if (!line.starts_with("NSpid:")) continue;
            std::istringstream words(line.substr(6));
            for (long number = 0; words >> number;) numbers.insert(number);
        }
    }
    return numbers;
}

// ompi.HOST.UID/pid.N: of the mpirun with that number.
void add_sessions(const LeftoverPlaces& places, std::vector<Leftover>& found) {
    const fs::path sessions =
        places.temporary / fmt::format("ompi.{}.{}", places.host, places.user);
    if (!is_of_user(sessions, places.user)) return;
    const std::set<long> living = process_numbers(places);
    for (const fs::path& path : entries_of(sessions)) {
        const std::string name = path.filename().string();
        if (!name.starts_with("pid.")) continue;
        const auto process = number_of(std::string_view(name).substr(4));
        if (!process || living.contains(*process)) continue;
        if (is_of_user(path, places.user) && is_old(path)) found.push_back({path, bytes_of(path)});
    }
}

}  // namespace

LeftoverPlaces leftover_places() {
    LeftoverPlaces places;
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (!error) places.temporary = temporary;
    places.host = host_name();
    places.host = places.host.substr(0, places.host.find('.'));
    places.user = ::geteuid();
    return places;
}

std::vector<Leftover> mpi_leftovers(const LeftoverPlaces& places) {
    std::vector<Leftover> found;
    if (!sees_all_processes(places)) return found;
    add_segments(places, found);
    add_sessions(places, found);
    return found;
}

}  // namespace lockstep::pipeline
