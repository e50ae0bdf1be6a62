// A loss that is no number: which layer it came from, and on which rank.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/training_step.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Nothing that hides a NaN, as a ReLU does; with layers that a fused one computes along.
std::vector<LayerConfig> open_layers() {
    return {{"conv2d", Conv2dConfig{.filters = 6, .kernel_size = {3, 3}, .padding = Padding::same}},
            {"batch_normalization", BatchNormalizationConfig{}},
            {"max_pooling2d", PoolingConfig{}},
            {"dropout", DropoutConfig{0.25}},
            {"conv2d_1", Conv2dConfig{.filters = 5, .kernel_size = {2, 2}}},
            {"average_pooling2d", PoolingConfig{.kind = PoolingKind::average}},
            {"flatten", FlattenConfig{}},
            {"dense", DenseConfig{.units = 12}},
            {"batch_normalization_1", BatchNormalizationConfig{}},
            {"dense_1", DenseConfig{.units = 4, .activation = Activation::softmax}}};
}

// A step on the first 16 samples, with weights that a test spoils.
class SpoiltStep {
public:
    SpoiltStep(const RunConfig& config, const RunData& data, const Communicator& world)
        : world_(world),
          network_(config.layers, data.shape, 4),
          step_((set_initial_weights(config, data), config), data, network_, world, pool_),
          samples_(16) {
        std::iota(samples_.begin(), samples_.end(), 0U);
    }

    // One value of a tensor, which ranks of a node share, past set_weights(), which would refuse
    // it. Collective.
    void set(std::size_t tensor, float value) {
        world_.barrier();
        *network_.parameters().data(tensor) = value;
        world_.barrier();
    }
    void set(const NamedTensors& weights) {
        world_.barrier();
        network_.parameters().set_weights(weights);
        world_.barrier();
    }
    NamedTensors weights() const { return network_.parameters().weights(); }
    // What the step says, if its loss is no number. The same on every rank. Collective.
    std::string error() {
        std::string words = "no error";
        try {
            step_.run(samples_, 3, 7, {});
        } catch (const NonFiniteLoss& error) {
            words = error.what();
        }
        for (const std::string& of_rank : world_.gather_texts(words)) CHECK(of_rank == words);
        return words;
    }

private:
    void set_initial_weights(const RunConfig& config, const RunData& data) {
        network_.parameters().set_weights(
            initial_weights(infer_shapes(config.layers, data.shape, 4), 1));
    }

    const Communicator& world_;
    Network network_;
    BufferPool pool_;
    TrainingStep step_;
    std::vector<std::uint32_t> samples_;
};

}  // namespace

TEST_CASE("a loss that is no number: the layer whose weight was spoilt is named, each in turn",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config = tiny_run(open_layers());
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    SpoiltStep step(config, data, world);
    int spoilt = 0;
    const NamedTensors tensors = step.weights();
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (tensors[i].name != "bias" && tensors[i].name != "beta") continue;
        CAPTURE(tensors[i].layer, tensors[i].name);
        const float kept = tensors[i].values.front();
        step.set(i, HUGE_VALF);
        const std::string words = step.error();
        CHECK(contains(words, "the loss became "));
        CHECK(contains(words, " in epoch 3, step 7: the output of " + tensors[i].layer +
                                  " was the first that held a NaN or an infinity (on rank 0); " +
                                  tensors[i].layer + "/" + tensors[i].name + " holds inf"));
        step.set(i, kept);
        ++spoilt;
    }
    CHECK(spoilt == 6);
    CHECK(step.error() == "no error");
}

TEST_CASE("a NaN that a ReLU hides from the loss is found at the end of the epoch, on every rank",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run({{"conv2d", Conv2dConfig{.filters = 6, .kernel_size = {3, 3}}},
                                 {"batch_normalization", BatchNormalizationConfig{}},
                                 {"activation", ActivationConfig{Activation::relu}},
                                 {"flatten", FlattenConfig{}},
                                 {"dense", DenseConfig{.units = 4}}});
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    NamedTensors weights = initial_weights(infer_shapes(config.layers, data.shape, 4), 1);
    std::ranges::fill(weights.front().values, 3e38F);  // finite; its products are not
    RecordingObserver observer;
    const Training training{.config = config,
                            .data = data,
                            .initial_weights = &weights,
                            .resume_from = nullptr,
                            .stop_requested = {}};
    std::string words = "no error";
    try {
        train(training, world, observer);
    } catch (const NonFiniteWeights& error) {
        words = error.what();
    }
    for (const std::string& of_rank : world.gather_texts(words)) {
        CHECK(contains(of_rank, "after epoch 1 "));
        CHECK(contains(of_rank, " holds "));
    }
    if (world.is_root()) CHECK(observer.steps.size() == 3);  // none of whose losses was a NaN
    CHECK(observer.snapshots.empty());
}

TEST_CASE("a loss that is no number: the rank whose sample it was is named", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const RunConfig config =
        tiny_run({{"conv2d", Conv2dConfig{.filters = 6, .kernel_size = {3, 3}}},
                  {"flatten", FlattenConfig{}},
                  {"dense", DenseConfig{.units = 4}}});
    auto dataset = std::make_shared<Dataset>(*make_tiny_dataset());
    const auto size = static_cast<std::size_t>(dataset->shape.size());
    std::vector<std::uint8_t> pixels(45 * size);  // black, but for the last one of the batch
    std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(15 * size), size, 255);
    dataset->training.pixels = std::move(pixels);
    RunData data = select_samples(dataset, config.data, config.train.seed);
    std::iota(data.training.indices.begin(), data.training.indices.end(), 0U);
    SpoiltStep step(config, data, world);
    CHECK(step.error() == "no error");
    NamedTensors weights = step.weights();
    std::ranges::fill(weights.front().values, 3e38F);
    step.set(weights);
    const std::string words = step.error();
    CAPTURE(words);
    CHECK(contains(words,
                   "the output of conv2d was the first that held a NaN or an infinity (on "
                   "rank " +
                       std::to_string(world.size() - 1) + ")"));
    CHECK_FALSE(contains(words, " holds "));  // all weights are finite
}
