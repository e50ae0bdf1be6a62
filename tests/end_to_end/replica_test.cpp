// Ranks that compute differently are found out, by name, before anything is stored.

#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWords =
    "in epoch 1 the learning rates of rank 1 came to differ from those of rank 0";

std::string state_of(const fs::path& store) {
    return lockstep({"query", "select state, epochs_finished, attempts, cause from v_runs",
                     "--store", store.string(), "--format", "csv"})
        .output;
}

// With Adam, whose rate is computed by each rank for itself.
std::vector<std::string> training(const fs::path& store) {
    return lockstep_command({"run", smoke_file(), "--only", "batch-normalized", "--quiet",
                             "--store", store.string(), "--retry-failed"});
}

TEST_CASE("A rank with another mathematics library ends the run: 70, and which rank it is",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    Process different(mpirun_of_two(training(store),
                                    preloading(LOCKSTEP_OTHER_MATHEMATICS, {}, training(store))));
    CHECK(different.wait() == 70);
    const std::string errors = different.errors();
    INFO(errors);
    const std::size_t told = errors.find(kWords);
    CHECK(told != std::string::npos);
    CHECK(errors.find(kWords, told + 1) == std::string::npos);  // once, by one rank
    CHECK(state_of(store) ==
          std::string("state,epochs_finished,attempts,cause\nfailed,0,1,") + kWords + "\n");

    // Alike again, the ranks train it anew.
    Process alike(mpirun_of_two(training(store), training(store)));
    CHECK(alike.wait() == 0);
    CHECK(state_of(store) == "state,epochs_finished,attempts,cause\nfinished,2,2,\n");
}

}  // namespace
}  // namespace lockstep::tests
