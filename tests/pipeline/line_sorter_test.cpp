#include "pipeline/ranks/line_sorter.hpp"

#include <filesystem>
#include <string>

#include "pipeline/ranks/rank_lines.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

using tests::TemporaryDirectory;

struct Sorted {
    RankWords words;
    bool has_log = false;
};

Sorted sorted(const std::string& text) {
    const TemporaryDirectory folder;
    ProgressDisplay progress(ProgressMode::none, ColorMode::never);
    Sorted result;
    LineSorter lines(progress, folder / "mpirun.log", result.words);
    lines.take(text);
    lines.finish();
    result.has_log = std::filesystem::exists(folder / "mpirun.log");
    return result;
}

// Open MPI 5 leaves the zero there, behind a message of its own.
TEST_CASE("Lines of ranks are known, with a zero byte before them too") {
    const std::string before = GENERATE(std::string(), std::string(1, '\0'));
    const Sorted ready = sorted(before + ready_line() + "\n");
    CHECK(ready.words.are_ready);
    CHECK_FALSE(ready.has_log);
    CHECK(sorted(before + end_line(75)).words.end == 75);
    CHECK(sorted(before + lost_line("rank 1 (a): gone") + "\n").words.lost == "rank 1 (a): gone");
    CHECK(sorted(before + "lockstep: rank 0 (a): File too large\n").words.error ==
          "rank 0 (a): File too large");
}

TEST_CASE("Lines of mpirun go to the log as they are") {
    const Sorted other = sorted(std::string("  vm\n\n\0\n see lockstep: here\n", 28));
    CHECK(other.has_log);
    CHECK(other.words.error.empty());
    CHECK(other.words.mpirun == "  vm\n see lockstep: here\n");
}

TEST_CASE("What ranks tell after one was lost is no cause") {
    const Sorted both = sorted(lost_line("rank 1 (a): gone") + "\nlockstep: rank 0 (a): recv\n");
    CHECK(both.words.lost == "rank 1 (a): gone");
    CHECK(both.words.error.empty());
}

}  // namespace
}  // namespace lockstep::pipeline
