#pragma once

// Reads the #include lines of a source tree and judges them by the rules of docs/architecture.md:
// which room may include which, and which files may include which library.

#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::tests {

// One #include line.
struct Include {
    std::string file;    // that includes, relative to the root: "storage/files/run_store.cpp"
    int line = 0;        // from 1
    std::string header;  // as written between the quotes or brackets: "storage/records/records.hpp"
};

// All #include lines of the C++ files (.hpp, .cpp) in the rooms below `root`, in a fixed order.
// Rooms that do not exist are left out. Throws std::runtime_error for a file that cannot be read.
std::vector<Include> read_includes(const std::filesystem::path& root);

// One sentence for each include that a rule forbids: "storage/a.cpp:3: storage must not include
// trainer (trainer/network/network.hpp)". Empty when all is well.
std::vector<std::string> forbidden_includes(const std::vector<Include>& includes);

// An arrow from one room to another that it includes; tests and benchmarks left out.
using Arrow = std::pair<std::string, std::string>;
std::set<Arrow> room_arrows(const std::vector<Include>& includes);

// The rooms of one cycle, in order ("pipeline", "storage", "pipeline"); empty without a cycle.
std::vector<std::string> find_cycle(const std::set<Arrow>& arrows);

}  // namespace lockstep::tests
