// The five tutorials on real CIFAR-10 (LOCKSTEP_DATA): the same final weights and figures on
// 1, 3 and 8 ranks, short last batches of evaluation and uneven shares included.

#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/needs.hpp"

namespace lockstep::tests {
namespace {

const std::vector<std::string> kTutorials{"conv10-64-64", "vgg-bn", "three-class-bn",
                                          "small-alexnet", "conv32-64-64"};

void train(const std::string& store, const std::string& data, int ranks) {
    const Result run =
        lockstep({"run", std::string(LOCKSTEP_EXPERIMENTS) + "/tutorials.toml", "--store", store,
                  "--data", data, "--quiet", "--ranks", std::to_string(ranks), "--set",
                  "train.epochs=2", "--set", "train.steps_per_epoch=10"});
    INFO(run.errors);
    CHECK(run.exit_code == 0);
}

std::string epochs_of(const std::string& store) {
    return lockstep({"query",
                     "select run, epoch, loss, accuracy, val_loss, val_accuracy, training_count, "
                     "validation_count, weights_digest from epochs order by run, epoch",
                     "--store", store, "--format", "csv"})
        .output;
}

TEST_CASE("The tutorials' final weights on real CIFAR-10 do not depend on the ranks",
          "[end_to_end][cifar10]") {
    const std::string data = cifar10_folder();
    const TemporaryDirectory folder;
    const std::string reference = (folder / "1").string();
    train(reference, data, 1);
    for (const int ranks : {3, 8}) {
        const std::string store = (folder / std::to_string(ranks)).string();
        train(store, data, ranks);
        for (const std::string& name : kTutorials) {
            INFO(name << " at " << ranks << " ranks");
            const std::string bytes = read_text(run_folder(store, name) / "final.h5");
            CHECK_FALSE(bytes.empty());
            CHECK(bytes == read_text(run_folder(reference, name) / "final.h5"));
        }
        CHECK(epochs_of(store) == epochs_of(reference));
    }
}

}  // namespace
}  // namespace lockstep::tests
