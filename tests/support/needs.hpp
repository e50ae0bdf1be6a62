#pragma once

// What some tests need and not every machine has: data, golden steps, other programs.
//
// CTest starts such tests apart (NEEDS and SOME_NEED in cmake/testing.cmake) and tells their
// program:
//
//   PROGRAM --needs cifar10 --needs oracle [CATCH2 ARGUMENT...]
//
// Where a need is absent the program runs nothing, says why and ends with kSkipped, which CTest
// shows as skipped; or as failed, where LOCKSTEP_REQUIRE ("cifar10,oracle") says that it must be
// here.

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lockstep::tests {

constexpr int kSkipped = 77;  // exit code; SKIP_RETURN_CODE in cmake/testing.cmake

struct Need {
    std::string name;
    std::function<bool()> is_here;
    std::string if_absent;  // what is missing, and how to get it
};

// The needs that hold for any program: cifar10, fashion_mnist, oracle, onnxruntime, chromium,
// locales, mounts, python3, shells.
std::vector<Need> common_needs();

// Why a program must end now, and how.
struct Absence {
    int exit_code = kSkipped;
    std::string message;  // "skipped: PROGRAM needs ...": test.sh collects these lines
};

// Takes "--needs NAME" off a program's arguments and looks for those needs among `known`.
// Throws std::invalid_argument if one is unknown.
std::optional<Absence> absent_need(std::vector<char*>& arguments, std::span<const Need> known);

// The folders of cifar10 and oracle, from LOCKSTEP_DATA and LOCKSTEP_ORACLE.
// Throws std::runtime_error if the variable is not set.
std::filesystem::path cifar10_folder();
std::filesystem::path oracle_folder();

}  // namespace lockstep::tests
