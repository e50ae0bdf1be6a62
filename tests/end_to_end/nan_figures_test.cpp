// A run whose weights are numbers and whose figures are none: it ends as any other, as in Keras,
// and says so wherever it is listed.

#include <fstream>
#include <string>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// The only step's loss is of the first weights. After its update they are numbers still, but what
// nine layers multiply to is none.
constexpr const char* kUnsure = R"(schema = 1
[experiment]
name = "unsure"
[data]
dataset = "synthetic"
training_samples = 64
test_samples = 20
validation = { first = 16 }
scale = "raw"
[train]
batch_size = 16
epochs = 1
steps_per_epoch = 1
optimizer = { name = "sgd", learning_rate = 100.0 }
[checkpoint]
monitor = "val_accuracy"
[[run]]
name = "unsure"
layers = [
    { type = "flatten" }, { type = "dense", units = 16 }, { type = "dense", units = 16 },
    { type = "dense", units = 16 }, { type = "dense", units = 16 }, { type = "dense", units = 16 },
    { type = "dense", units = 16 }, { type = "dense", units = 16 }, { type = "dense", units = 16 },
    { type = "dense", units = 10 },
]
)";

TEST_CASE("Test and validation losses that are no numbers: 0, with words, and no best epoch",
          "[end_to_end]") {
    const std::string ranks = GENERATE("1", "2");
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::ofstream(folder / "unsure.toml") << kUnsure;
    const Result result = lockstep(
        {"run", (folder / "unsure.toml").string(), "--ranks", ranks, "--store", store.string()});
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    const std::string doubts = "test loss nan, val_loss nan in 1 of 1 epochs (first in epoch 1)";
    CHECK(contains(result.errors + result.output, "warning: unsure: " + doubts));
    // The history is kept: the loss of the step is a number.
    CHECK(rows(store, "select count(*), loss is null, val_loss is null, is_nan from epochs") ==
          "1,0,1,1\n");
    CHECK(rows(store, "select state, is_nan, cause like '" + doubts + "%' from v_runs") ==
          "finished,1,1\n");
    CHECK(rows(store, "select count(*) from metrics where name like 'best_%'") == "0\n");
    CHECK(rows(store, "select count(*) from artifacts where kind = 'best'") == "0\n");
    CHECK(rows(store, "select kind from events where text like '" + doubts + "%' order by id") ==
          "warning\nfinished\n");
    CHECK(contains(lockstep({"ls", "--store", store.string()}).output, "test loss nan"));
    CHECK(
        contains(lockstep({"show", "unsure", "--store", store.string()}).output, "test loss nan"));
    const fs::path reports = store / "reports" / "unsure";
    CHECK(contains(read_text(reports / "report.md"), "test loss nan"));
    CHECK(contains(read_text(reports / "report.html"), doubts));
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

}  // namespace
}  // namespace lockstep::tests
