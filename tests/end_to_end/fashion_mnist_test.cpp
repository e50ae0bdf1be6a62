// Real images of one channel, from Debian's package, found without a path: the same bits on 1, 2
// and 3 ranks, and what is told of such a run.

#include <filesystem>
#include <fstream>
#include <string>

#include "storage/weights/predictions_file.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExperiment = R"(
[experiment]
name = "grey"
[data]
dataset = "fashion_mnist"
validation = { first = 1003 }
augmentation = [{ type = "random_translation", height_factor = 0.1, width_factor = 0.1 }]
[train]
batch_size = 50
steps_per_epoch = 40
epochs = 2
[[run]]
name = "grey"
layers = [
  { type = "conv2d", filters = 8, kernel_size = 3, activation = "relu" },
  { type = "max_pooling2d" },
  { type = "conv2d", filters = 12, kernel_size = 3 },
  { type = "batch_normalization" },
  { type = "activation", activation = "relu" },
  { type = "max_pooling2d" },
  { type = "flatten" },
  { type = "dropout", rate = 0.2 },
  { type = "dense", units = 10 },
]
)";

class Trained {
public:
    explicit Trained(int ranks) {
        std::ofstream(folder_ / "grey.toml") << kExperiment;
        const Result run = lockstep({"run", (folder_ / "grey.toml").string(), "--store", store(),
                                     "--ranks", std::to_string(ranks), "--quiet"});
        INFO(run.errors);
        CHECK(run.exit_code == 0);
    }
    std::string store() const { return (folder_ / "store").string(); }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    std::string weights() const { return read_text(run_folder(store(), "grey") / "final.h5"); }
    storage::Predictions predictions() const {
        return storage::read_predictions(run_folder(store(), "grey") / "predictions.h5");
    }

private:
    TemporaryDirectory folder_;
};

// One image of the report, as a file.
void write_picture(const std::string& path, const storage::Predictions& seen, std::size_t image) {
    std::ofstream file(path, std::ios::binary);
    file << "P5 28 28 255\n";
    for (std::size_t i = 0; i < 784; ++i)
        file << static_cast<char>(seen.images[(image * 784 + i) * 3]);
}

TEST_CASE("A network on Fashion-MNIST has the same weights on 1, 2 and 3 ranks", "[end_to_end]") {
    const Trained reference(1);
    CHECK_FALSE(reference.weights().empty());
    for (const int ranks : {2, 3}) CHECK(Trained(ranks).weights() == reference.weights());
}

TEST_CASE("Grey images are stored for reports, predicted, previewed and exported", "[end_to_end]") {
    const Trained trained(2);
    const storage::Predictions seen = trained.predictions();
    CHECK(seen.class_names[9] == "Ankle boot");
    REQUIRE(seen.images.size() >= 25U * 784 * 3);
    bool are_grey = true;
    for (std::size_t i = 0; i < seen.images.size(); i += 3)
        are_grey = are_grey && seen.images[i] == seen.images[i + 1] &&
                   seen.images[i] == seen.images[i + 2];
    CHECK(are_grey);
    CHECK(seen.labels[0] == 9);  // the test set begins with a boot
    CHECK(fs::exists(trained.path("store") + "/reports/grey/report.html"));

    write_picture(trained.path("0.pgm"), seen, 0);
    const Result predicted = lockstep({"predict", "grey", trained.path("0.pgm"), "--store",
                                       trained.store(), "--top", "10", "--format", "csv"});
    for (std::size_t label = 0; label < 10; ++label) {
        const double probability = static_cast<double>(seen.probabilities[label]);
        const std::size_t place = predicted.output.find("," + seen.class_names[label] + ",");
        REQUIRE(place != std::string::npos);
        const std::size_t begin = place + seen.class_names[label].size() + 2;
        CHECK(std::stod(predicted.output.substr(begin)) == Approx(probability).margin(1e-6));
    }
    CHECK(lockstep({"preview", trained.path("grey.toml"), "--out", trained.path("p.png")})
              .exit_code == 0);
    for (const std::string format : {"keras", "onnx"})
        CHECK(lockstep({"export", "grey", "--store", trained.store(), "--format", format, "--out",
                        trained.path("net." + format)})
                  .exit_code == 0);
}

TEST_CASE("Another data set of other classes or shapes is refused", "[end_to_end]") {
    const Trained trained(1);
    const Result other =
        lockstep({"evaluate", "grey", "--store", trained.store(), "--dataset", "synthetic"});
    CHECK(other.exit_code == 65);
    CHECK(other.errors.find("the network sees images (None, 28, 28, 1), those of synthetic are "
                            "(None, 32, 32, 3)") != std::string::npos);
}

}  // namespace
}  // namespace lockstep::tests
