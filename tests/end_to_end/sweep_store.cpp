#include "tests/end_to_end/sweep_store.hpp"

#include <fstream>
#include <string>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSweep = R"(
schema = 1
[experiment]
name = "sweep"
[data]
dataset = "synthetic"
training_samples = 400
test_samples = 500
validation = { first = 100 }
[train]
epochs = 2
seeds = [1, 2]
optimizer = { name = "sgd", learning_rate = 0.01, momentum = 0.5 }
[sweep]
"train.optimizer.learning_rate" = [0.001, 0.05]
"layers.dense.units" = [4, 16]
[[run]]
name = "n"
layers = [{ type = "flatten" }, { type = "dense", units = 4, activation = "relu" }, { type = "dense", units = 10 }]
)";

// One architecture has the name of one of the sweep's.
constexpr const char* kOther = R"(
schema = 1
[experiment]
name = "other"
[data]
dataset = "synthetic"
training_samples = 400
test_samples = 500
validation = { first = 100 }
[train]
epochs = 1
[[run]]
name = "n-learning_rate0.05-units16"
layers = [{ type = "flatten" }, { type = "dense", units = 10 }]
)";

void train(const fs::path& folder, const char* name, const char* text) {
    std::ofstream(folder / name) << text;
    const Result result = lockstep({"run", (folder / name).string(), "--store",
                                    (folder / "store").string(), "--ranks", "1", "--quiet"});
    INFO(result.errors);
    REQUIRE(result.exit_code == 0);
}

}  // namespace

const fs::path& sweep_store() {
    static const TemporaryDirectory folder;
    static const fs::path path = [] {
        train(folder.path(), "sweep.toml", kSweep);
        train(folder.path(), "other.toml", kOther);
        return folder / "store";
    }();
    return path;
}

}  // namespace lockstep::tests
