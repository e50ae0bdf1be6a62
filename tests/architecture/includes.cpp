#include "tests/architecture/includes.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

struct Room {
    std::string_view name;
    std::vector<std::string_view> may_include;  // other rooms
    // Its folders, from the bottom up: each may include those before it and none behind it. ""
    // stands for files of the room itself. Empty: a room without such an order.
    std::vector<std::string_view> folders{};
    std::vector<std::string_view> closed{};  // folders of other rooms that it may not include
};

const std::array<Room, 7>& rooms() {
    static const std::array<Room, 7> kRooms{{
        {"liveness", {}},
        {"trainer",
         {"liveness"},
         {"config", "determinism", "kernels", "exchange", "data", "augmentation", "parameters",
          "optimizers", "layers", "network", "", "benchmark"}},
        {"storage", {"liveness"}, {"files", "records", "database", "weights", "exports"}},
        // It computes from rows: where they come from is not its business.
        {"reports",
         {"storage"},
         {"figures", "words", "tables", "charts", "page"},
         {"storage/database/"}},
        {"pipeline",
         {"liveness", "trainer", "storage", "reports"},
         {"settings", "layers", "failure", "keras", "experiment", "planning", "progress", "ranks",
          "recording", "training", "store", "care", "doctor", "exporting", "verbs", "command_line",
          ""}},
        {"tests", {"liveness", "trainer", "storage", "reports", "pipeline"}},
        {"benchmarks", {"trainer", "storage", "reports", "pipeline"}},
    }};
    return kRooms;
}

// A library's headers and the only places (prefixes of a file's path) that may include them.
struct Library {
    std::string_view name;
    std::vector<std::string_view> headers;  // prefixes
    std::vector<std::string_view> places;
};

const std::vector<Library>& libraries() {
    static const std::vector<Library> kLibraries{
        {"oneDNN", {"dnnl", "oneapi/dnnl"}, {"trainer/kernels/"}},
        {"OpenMP", {"omp.h"}, {"trainer/kernels/"}},
        // main() has to know whether other ranks wait for it.
        {"MPI",
         {"mpi.h"},
         {"trainer/exchange/", "pipeline/main.cpp", "tests/mpi/", "tests/end_to_end/preloaded/"}},
        {"Highway", {"hwy/"}, {"trainer/", "tests/trainer/"}},
        {"Random123", {"Random123/"}, {"trainer/"}},
        {"toml++", {"toml++/", "toml.hpp"}, {"pipeline/settings/toml_text.cpp"}},
        {"CLI11", {"CLI/"}, {"pipeline/command_line/"}},
        {"SQLite", {"sqlite3", "SQLiteCpp/"}, {"storage/", "tests/storage/"}},
        {"zlib",
         {"zlib.h"},
         {"storage/", "trainer/data/inflater.cpp", "tests/storage/", "tests/trainer/"}},
        {"libzip",
         {"zip.h"},
         {"storage/files/zip_reading.cpp", "trainer/data/npz_file.cpp", "tests/storage/"}},
        {"HDF5",
         {"hdf5", "H5"},
         {"storage/", "trainer/data/hdf5_array.cpp", "tests/storage/", "tests/trainer/"}},
        {"libpng",
         {"png.h"},
         {"reports/page/png_image.cpp", "trainer/data/png_image.cpp", "tests/reports/",
          "tests/trainer/"}},
        {"libjpeg", {"jpeglib.h", "jerror.h"}, {"trainer/data/jpeg_image.cpp", "tests/trainer/"}},
        {"Catch2", {"catch2/"}, {"tests/support/"}},
    };
    return kLibraries;
}

bool starts_with_any(std::string_view text, const std::vector<std::string_view>& prefixes) {
    return std::ranges::any_of(prefixes, [&](auto prefix) { return text.starts_with(prefix); });
}

// The room a path begins with.
std::optional<Room> room_of(std::string_view path) {
    const std::string_view first = path.substr(0, path.find('/'));
    const auto room = std::ranges::find(rooms(), first, &Room::name);
    if (first.size() == path.size() || room == rooms().end()) return std::nullopt;
    return *room;
}

std::string_view skip_spaces(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(" \t"), text.size()));
}

// The header that a line of source includes.
std::optional<std::string> included_header(std::string_view line) {
    line = skip_spaces(line);
    if (!line.starts_with('#')) return std::nullopt;
    line = skip_spaces(line.substr(1));
    if (!line.starts_with("include")) return std::nullopt;
    line = skip_spaces(line.substr(std::string_view("include").size()));
    if (line.empty() || (line.front() != '"' && line.front() != '<')) return std::nullopt;
    const std::size_t end = line.find(line.front() == '"' ? '"' : '>', 1);
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(line.substr(1, end - 1));
}

void read_file(const fs::path& root, const fs::path& path, std::vector<Include>& includes) {
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error("cannot read " + path.string());
    std::string text;
    for (int line = 1; std::getline(stream, text); ++line) {
        if (auto header = included_header(text)) {
            includes.push_back({path.lexically_relative(root).generic_string(), line, *header});
        }
    }
}

std::string at(const Include& include) {
    return include.file + ":" + std::to_string(include.line) + ": ";
}

// The folder below the room: "kernels" of trainer/kernels/pooling.hpp, "" of trainer/train.hpp.
std::string_view folder_of(std::string_view path) {
    const std::string_view inside = path.substr(path.find('/') + 1);
    const std::size_t slash = inside.find('/');
    return slash == std::string_view::npos ? std::string_view{} : inside.substr(0, slash);
}

std::string shown(std::string_view room, std::string_view folder) {
    return folder.empty() ? std::string(room) : std::string(room) + "/" + std::string(folder);
}

// An arrow between two folders of one room that runs up, or a folder nobody gave a place.
std::optional<std::string> forbidden_inside(const Include& include, const Room& room) {
    if (room.folders.empty()) return std::nullopt;
    const std::string_view from = folder_of(include.file);
    const std::string_view to = folder_of(include.header);
    const auto place = [&](std::string_view folder) {
        return std::ranges::find(room.folders, folder);
    };
    for (const std::string_view folder : {from, to}) {
        if (place(folder) != room.folders.end()) continue;
        return at(include) + shown(room.name, folder) +
               " has no place among the folders of its room (tests/architecture/includes.cpp)";
    }
    if (place(to) <= place(from)) return std::nullopt;
    return at(include) + shown(room.name, from) + " must not include " + shown(room.name, to) +
           ", which stands above it (" + include.header + ")";
}

std::optional<std::string> forbidden_arrow(const Include& include) {
    const auto from = room_of(include.file);
    const auto to = room_of(include.header);
    if (!from || !to) return std::nullopt;
    if (from->name == to->name) return forbidden_inside(include, *from);
    const bool may_include =
        std::ranges::find(from->may_include, to->name) != from->may_include.end();
    if (may_include && !starts_with_any(include.header, from->closed)) return std::nullopt;
    return at(include) + std::string(from->name) + " must not include " + std::string(to->name) +
           " (" + include.header + ")";
}

std::optional<std::string> forbidden_library(const Include& include) {
    if (room_of(include.header)) return std::nullopt;  // our own header
    for (const Library& library : libraries()) {
        if (starts_with_any(include.header, library.headers) &&
            !starts_with_any(include.file, library.places)) {
            return at(include) + "only " + std::string(library.places.front()) + " may include " +
                   std::string(library.name) + " (" + include.header + ")";
        }
    }
    return std::nullopt;
}

// Extends `path` by each arrow that leaves its last room, until it meets itself.
bool extend_to_cycle(const std::set<Arrow>& arrows, std::vector<std::string>& path) {
    const std::string last = path.back();
    for (const auto& [from, to] : arrows) {
        if (from != last) continue;
        const auto seen = std::ranges::find(path, to);
        const bool closes = seen != path.end();
        if (closes) path.erase(path.begin(), seen);
        path.push_back(to);
        if (closes || extend_to_cycle(arrows, path)) return true;
        path.pop_back();
    }
    return false;
}

}  // namespace

std::vector<Include> read_includes(const fs::path& root) {
    std::vector<fs::path> files;
    for (const Room& room : rooms()) {
        if (!fs::is_directory(root / room.name)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(root / room.name)) {
            const fs::path extension = entry.path().extension();
            if (extension == ".hpp" || extension == ".cpp") files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    std::vector<Include> includes;
    for (const fs::path& file : files) read_file(root, file, includes);
    return includes;
}

std::vector<std::string> forbidden_includes(const std::vector<Include>& includes) {
    std::vector<std::string> problems;
    for (const Include& include : includes) {
        if (auto problem = forbidden_arrow(include)) problems.push_back(*problem);
        if (auto problem = forbidden_library(include)) problems.push_back(*problem);
    }
    return problems;
}

std::set<Arrow> room_arrows(const std::vector<Include>& includes) {
    std::set<Arrow> arrows;
    for (const Include& include : includes) {
        const auto from = room_of(include.file);
        const auto to = room_of(include.header);
        if (!from || !to || from->name == to->name) continue;
        if (from->name == "tests" || from->name == "benchmarks") continue;
        arrows.emplace(from->name, to->name);
    }
    return arrows;
}

std::vector<std::string> find_cycle(const std::set<Arrow>& arrows) {
    for (const auto& [from, to] : arrows) {
        std::vector<std::string> path{from};
        if (extend_to_cycle(arrows, path)) return path;
    }
    return {};
}

}  // namespace lockstep::tests
