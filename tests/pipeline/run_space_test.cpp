// The room that a run needs at once: at least, as a run that has it must not be refused.

#include "pipeline/recording/run_space.hpp"

#include <string>

#include "pipeline/planning/plan.hpp"
#include "storage/files/storage_error.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

constexpr std::int64_t kWeights = 4 * (3072 * 10 + 10);  // bytes of the network of run_text()

pipeline::PlannedRun planned(const std::string& train) {
    return pipeline::plan(read(kHead + run_text("a", "train = { " + train + " }\n"))).runs.at(0);
}

}  // namespace

TEST_CASE("a start needs the checkpoints of its first epochs, a resumed run one more", "[plan]") {
    const std::string adam = "optimizer = \"adam\", epochs = ";
    const std::string sgd = "optimizer = \"sgd\", epochs = ";
    const auto at_start = [](const std::string& train) {
        return pipeline::least_bytes(planned(train), true);
    };
    CHECK(at_start(adam + "0") == kWeights);
    CHECK(at_start(adam + "1") == 3 * kWeights + kWeights);
    CHECK(at_start(adam + "2") == 2 * 3 * kWeights + kWeights);
    CHECK(at_start(adam + "100") == 3 * 3 * kWeights);
    CHECK(at_start(sgd + "100") == 3 * kWeights);
    CHECK(at_start("optimizer = { name = \"sgd\", momentum = 0.9 }, epochs = 3") ==
          3 * 2 * kWeights);
    CHECK(pipeline::least_bytes(planned(adam + "100"), false) == 3 * kWeights);
}

TEST_CASE("a run larger than its disk is refused with both sizes", "[plan]") {
    const TemporaryDirectory folder;
    const storage::RunFiles files =
        storage::RunStore::create(folder.path()).make_run_folder("a-00000000");
    pipeline::PlannedRun run = planned("epochs = 3");
    CHECK_NOTHROW(pipeline::require_space(run, files, true));
    run.parameters = std::int64_t{1} << 58;
    run.trainable_parameters = 0;
    for (const bool is_start : {true, false}) {
        try {
            pipeline::require_space(run, files, is_start);
            FAIL("an exabyte was not refused");
        } catch (const storage::StorageError& error) {
            CHECK(error.kind() == storage::StorageError::Kind::full);
            CHECK(contains(error.what(),
                           is_start ? "3,458,764,513,820,540,928" : "1,152,921,504,606,846,976"));
            CHECK(contains(error.what(), files.folder.string()));
        }
    }
}
