// The promise of the name: the same bits on any number of ranks.

#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kRuns{"batch-normalized", "logits-seed1", "logits-seed2",
                                     "three-classes"};

// All columns of the table but attempts and times.
constexpr const char* kEpochs =
    "select run, epoch, steps, loss, accuracy, val_loss, val_accuracy, learning_rate, "
    "training_count, validation_count, weights_digest from epochs order by run, epoch";

std::string rows(const fs::path& store, const std::string& sql) {
    const Result result = lockstep({"query", sql, "--store", store.string(), "--format", "csv"});
    CHECK(result.exit_code == 0);
    return result.output;
}

void check_equal(const fs::path& store, const fs::path& reference) {
    for (const std::string& run : kRuns) {
        for (const char* file : {"final.h5", "checkpoint.h5", "predictions.h5", "effective.toml"}) {
            INFO(run << "/" << file);
            const std::string bytes = read_text(run_folder(store, run) / file);
            CHECK_FALSE(bytes.empty());
            CHECK(bytes == read_text(run_folder(reference, run) / file));
        }
    }
    CHECK(rows(store, kEpochs) == rows(reference, kEpochs));
    CHECK(rows(store, "select * from steps order by run, step") ==
          rows(reference, "select * from steps order by run, step"));
    CHECK(rows(store, "select * from metrics order by run, name") ==
          rows(reference, "select * from metrics order by run, name"));
}

void train(const std::vector<std::string>& command) {
    Process process(command);
    const int exit_code = process.wait();
    INFO(process.errors());
    CHECK(exit_code == 0);
}

std::vector<std::string> arguments(const fs::path& store, std::vector<std::string> more) {
    more.insert(more.begin(), {"run", smoke_file(), "--quiet", "--store", store.string()});
    return more;
}

TEST_CASE("Files and rows are the same on 1, 2, 3, 4 and 8 ranks", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path reference = folder / "1";
    train(lockstep_command(arguments(reference, {"--ranks", "1"})));
    // 4 epochs of 4, 13, 13 and 10 steps: the rows are really there.
    CHECK(rows(reference, "select count(*) from epochs") == "count(*)\n8\n");
    CHECK(rows(reference, "select count(*) from steps") == "count(*)\n80\n");
    for (const char* ranks : {"2", "3", "4", "8"}) {
        INFO(ranks << " ranks");
        train(lockstep_command(arguments(folder / ranks, {"--ranks", ranks})));
        check_equal(folder / ranks, reference);
    }
}

TEST_CASE("mpirun's ranks, one of them or several, give the bits of our own", "[end_to_end]") {
    const TemporaryDirectory folder;
    train(lockstep_command(arguments(folder / "own", {"--ranks", "1"})));
    for (const int ranks : {1, 3}) {
        const fs::path store = folder / std::to_string(ranks);
        train(mpirun_command(ranks, arguments(store, {})));
        check_equal(store, folder / "own");
    }
}

TEST_CASE("Runs side by side give the bits of runs one after the other", "[end_to_end]") {
    const TemporaryDirectory folder;
    train(lockstep_command(arguments(folder / "own", {"--ranks", "1"})));
    const std::vector<std::string> side_by_side{"--ranks", "3", "--set",
                                                "parallel.ranks_per_run=1"};
    train(lockstep_command(arguments(folder / "3", side_by_side)));
    // effective.toml tells ranks_per_run; nothing else may differ.
    for (const std::string& run : kRuns) {
        CHECK(read_text(run_folder(folder / "3", run) / "final.h5") ==
              read_text(run_folder(folder / "own", run) / "final.h5"));
    }
    CHECK(rows(folder / "3", kEpochs) == rows(folder / "own", kEpochs));
}

}  // namespace
}  // namespace lockstep::tests
