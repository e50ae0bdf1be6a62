// Training on any number of ranks gives the bits of training on one.
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/convolution_layers.hpp"
#include "tests/support/tiny_training.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Everything a run leaves behind, times aside.
struct Traces {
    std::string weights;
    std::string epochs;
    std::string steps;
    std::string test;
    std::vector<float> probabilities;
};

Traces traces_of(const Trained& trained) {
    return {digest_of(trained.outcome.weights), bits_of(trained.seen.epochs),
            bits_of(trained.seen.steps), bits_of(trained.outcome.test),
            trained.outcome.test_probabilities};
}

// Trains on as many ranks as there are shards for, and on rank 0 alone; checks that all agree.
Trained check_same_bits(const RunConfig& config, const TinyDataset& dataset = {}) {
    const Communicator world(MPI_COMM_WORLD);
    const bool takes_part = world.rank() < config.parallel.shards;
    const Communicator ranks = world.split(takes_part ? 0 : 1);
    if (!takes_part) return {};
    Trained together = train_tiny(config, ranks, nullptr, dataset);
    const std::string digest = digest_of(together.outcome.weights);
    for (const std::string& other : ranks.gather_texts(digest)) CHECK(other == digest);
    if (!ranks.is_root()) return together;

    const Traces expected =
        traces_of(train_tiny(config, Communicator(MPI_COMM_SELF), nullptr, dataset));
    const Traces found = traces_of(together);
    CHECK(found.epochs == expected.epochs);
    CHECK(found.steps == expected.steps);
    CHECK(found.weights == expected.weights);
    CHECK(found.test == expected.test);
    CHECK(found.probabilities == expected.probabilities);
    return together;
}

std::vector<std::pair<std::string, OptimizerConfig>> all_optimizers() {
    return {
        {"sgd", {.learning_rate = 0.05, .rule = SgdConfig{}}},
        {"momentum", {.learning_rate = 0.02, .rule = SgdConfig{.momentum = 0.9}}},
        {"nesterov", {.learning_rate = 0.02, .rule = SgdConfig{.momentum = 0.9, .nesterov = true}}},
        {"adam", {.learning_rate = 0.01, .rule = AdamConfig{}}},
        {"rmsprop", {.learning_rate = 0.002, .rule = RmspropConfig{}}},
        {"rmsprop with momentum", {.learning_rate = 0.002, .rule = RmspropConfig{.momentum = 0.5}}},
        {"lion", {.learning_rate = 0.001, .rule = LionConfig{}, .weight_decay = 0.1}},
        {"adagrad", {.learning_rate = 0.02, .rule = AdagradConfig{}}},
        {"nadam", {.learning_rate = 0.01, .rule = NadamConfig{}, .global_clipnorm = 0.5}},
        {"muon", {.learning_rate = 0.01, .rule = MuonConfig{}, .weight_decay = 0.1}},
        {"muon of convolutions",
         {.learning_rate = 0.01,
          .rule = MuonConfig{.exclude_layers = {"dense_1"}, .exclude_convolutions = false},
          .weight_decay = 0.1,
          .learning_rate_factors = {{"bias", 2.0}, {"kernel", 0.5}},
          .global_clipnorm = 0.5}},
        {"adamw",
         {.learning_rate = 0.01,
          .rule = AdamConfig{},
          .weight_decay = 0.1,
          .exclude_from_weight_decay = {"bias"}}}};
}

}  // namespace

TEST_CASE("same bits: every kind of layer, every optimizer, a short last batch", "[trainer][mpi]") {
    for (const auto& [name, optimizer] : all_optimizers()) {
        CAPTURE(name);
        RunConfig config = tiny_run();
        config.train.optimizer = optimizer;
        check_same_bits(config);
    }
}

TEST_CASE("same bits: smoothed labels, regularizers, clipped gradients", "[trainer][mpi]") {
    for (const int batch_size : {16, 5}) {
        RunConfig config = tiny_recipe();
        config.train.epochs = 4;
        config.train.batch_size = batch_size;
        const Trained trained = check_same_bits(config);
        if (trained.seen.epochs.empty()) continue;
        CHECK(trained.seen.epochs.back().learning_rate < 0.01);
    }
}

TEST_CASE("same bits: averages of the weights, accumulated gradients", "[trainer][mpi]") {
    const std::vector<std::pair<AverageConfig, int>> cases = {
        {EmaConfig{.momentum = 0.9}, 1},
        {EmaConfig{.momentum = 0.9, .overwrite_frequency = 2}, 3},
        {LookaheadConfig{.sync_period = 2, .moving_statistics = true}, 1},
        {LookaheadConfig{.sync_period = 2}, 2},
        {{}, 5}};
    for (const auto& [average, accumulated] : cases)
        for (const int batch_size : {16, 5}) {
            CAPTURE(average.index(), accumulated, batch_size);
            RunConfig config = tiny_recipe();
            config.train.batch_size = batch_size;
            config.train.optimizer.average = average;
            config.train.optimizer.gradient_accumulation_steps = accumulated;
            check_same_bits(config);
        }
}

TEST_CASE("same bits: muon with averages, accumulated and formed gradients", "[trainer][mpi]") {
    const MuonConfig muon{.exclude_convolutions = false};
    for (const int accumulated : {1, 2})
        for (const AverageConfig& average :
             {AverageConfig{EmaConfig{.momentum = 0.9, .overwrite_frequency = 2}},
              AverageConfig{LookaheadConfig{.sync_period = 2, .moving_statistics = true}}}) {
            CAPTURE(accumulated, average.index());
            RunConfig config = tiny_recipe();  // clips, and regularizes
            config.layers.insert(
                config.layers.begin() + 10,
                {"wide", DenseConfig{.units = 301, .activation = Activation::relu}});
            config.layers.front().trainable_epochs = {{"kernel", 1}};
            config.train.optimizer.rule = muon;
            config.train.optimizer.average = average;
            config.train.optimizer.gradient_accumulation_steps = accumulated;
            check_same_bits(config, {.training_samples = 61});
        }
}

TEST_CASE("same bits: wide dense layers that are regularized and clipped", "[trainer][mpi]") {
    RunConfig config = tiny_recipe();
    config.layers = {
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 301, .activation = Activation::relu, .kernel_l2 = 1e-3}},
        {"dense_1", DenseConfig{.units = 4}}};
    check_same_bits(config, {.training_samples = 130});
    config.train.optimizer.gradient_accumulation_steps = 3;
    check_same_bits(config, {.training_samples = 130});
}

TEST_CASE("same bits: a kernel of the training images, tensors of a few epochs, mixed images",
          "[trainer][mpi]") {
    for (const int batch_size : {16, 5}) {
        CAPTURE(batch_size);
        RunConfig config = whitened_run();
        config.train.batch_size = batch_size;
        check_same_bits(config);
    }
}

TEST_CASE("same bits: a network that is no chain", "[trainer][mpi]") {
    for (const int shards : {3, 8}) {
        CAPTURE(shards);
        RunConfig config = tiny_run();
        config.layers = residual_layers(4);
        config.parallel.shards = shards;
        check_same_bits(config);
    }
}

TEST_CASE("same bits: activations behind kernels, gates, layer normalization", "[trainer][mpi]") {
    for (const auto& layers : {activated_layers(), gated_layers()})
        for (const int shards : {3, 8}) {
            CAPTURE(layers.front().name, shards);
            RunConfig config = tiny_run(layers);
            config.parallel.shards = shards;
            check_same_bits(config);
        }
}

TEST_CASE("same bits: frozen layers, wide and normalizing ones among them", "[trainer][mpi]") {
    for (const std::vector<std::size_t>& frozen :
         {std::vector<std::size_t>{0, 1}, {1, 3, 6, 10}, {5, 10, 13}}) {
        RunConfig config = tiny_recipe();
        config.layers.insert(config.layers.begin() + 10,
                             {"wide", DenseConfig{.units = 301, .activation = Activation::relu}});
        for (const std::size_t layer : frozen) config.layers[layer].trainable = false;
        check_same_bits(config, {.training_samples = 61});
    }
}

TEST_CASE("same bits: depthwise, separable, grouped and dilated convolutions", "[trainer][mpi]") {
    for (const int batch_size : {16, 5}) {
        CAPTURE(batch_size);
        RunConfig config = tiny_run(convolution_layers(4));
        config.train.batch_size = batch_size;
        check_same_bits(config);
    }
}

TEST_CASE("same bits: augmented images", "[trainer][mpi]") {
    RunConfig config = tiny_run();
    const RunConfig plain = config;
    config.data.augmentation = {RandomFlipConfig{FlipMode::horizontal},
                                RandomCropConfig{2, {FillMode::mirror, 0.0}},
                                RandomRotationConfig{{-0.1, 0.1}, {}}, CutoutConfig{3, 0.0}};
    const Trained augmented = check_same_bits(config);
    const Trained unchanged = check_same_bits(plain);
    if (Communicator(MPI_COMM_WORLD).is_root())
        CHECK(digest_of(augmented.outcome.weights) != digest_of(unchanged.outcome.weights));
}

TEST_CASE("same bits: more than five classes, which weigh the same", "[trainer][mpi]") {
    RunConfig config = tiny_run(every_kind_of_layer(7));
    config.train.class_weights = BalancedClasses{};
    const Trained trained = check_same_bits(config, {.classes = 7, .test_samples = 131});
    for (const EpochRecord& epoch : trained.seen.epochs) {
        REQUIRE(epoch.validation);
        REQUIRE(epoch.validation->top_5_accuracy);
        CHECK(*epoch.validation->top_5_accuracy >= epoch.validation->accuracy);
    }
}

TEST_CASE("same bits: a test on several views of each image", "[trainer][mpi]") {
    for (const TestViews views : {TestViews::mirror, TestViews::mirror_translate}) {
        RunConfig config = tiny_run();
        config.data.test_views = views;
        check_same_bits(config, {.test_samples = 131});
    }
}

TEST_CASE("same bits: any number of shards, also ones that do not divide the batch",
          "[trainer][mpi]") {
    for (const int shards : {1, 2, 3, 11}) {
        CAPTURE(shards);
        RunConfig config = tiny_run();
        config.parallel.shards = shards;
        check_same_bits(config);
    }
}

TEST_CASE("same bits: batches smaller than the shards, so that ranks have no samples",
          "[trainer][mpi]") {
    for (const int batch_size : {1, 5, 7}) {
        CAPTURE(batch_size);
        RunConfig config = tiny_run();
        config.train.batch_size = batch_size;
        check_same_bits(config, {.training_samples = 19});
    }
}

TEST_CASE("same bits: one batch that holds more than there is, and one sample left over",
          "[trainer][mpi]") {
    for (const int samples : {9, 16, 17}) {
        CAPTURE(samples);
        check_same_bits(tiny_run(), {.training_samples = samples, .test_samples = 61});
    }
}

// Their gradients are formed from factors where all ranks share memory, as one rank alone does, and
// written and summed where they do not (training_on_several_hosts_test).
TEST_CASE("same bits: wide dense layers, and batches that are cut into more shards",
          "[trainer][mpi]") {
    const std::vector<LayerConfig> layers{
        {"conv2d",
         Conv2dConfig{.filters = 16, .kernel_size = {3, 3}, .activation = Activation::relu}},
        {"max_pooling2d", PoolingConfig{}},
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 301, .activation = Activation::relu}},
        {"dense_1", DenseConfig{.units = 200, .activation = Activation::relu, .use_bias = false}},
        {"dense_2", DenseConfig{.units = 4}}};
    for (const auto& [batch_size, shards] : {std::pair{16, 8}, {16, 3}, {50, 4}, {100, 8}}) {
        CAPTURE(batch_size, shards);
        RunConfig config = tiny_run(layers);
        config.train.batch_size = batch_size;
        config.parallel.shards = shards;
        check_same_bits(config, {.training_samples = 130});
    }
}

// Few channels behind something trained, as pixels that are normalized first; and shards of one
// image, too few for Winograd where the others of the batch are not.
TEST_CASE("same bits: normalized pixels, layers of few channels, shards of one image",
          "[trainer][mpi]") {
    const std::vector<LayerConfig> layers{
        {"batch_normalization", BatchNormalizationConfig{}},
        {"conv2d", Conv2dConfig{.filters = 17,
                                .kernel_size = {5, 5},
                                .strides = {2, 2},
                                .padding = Padding::same,
                                .activation = Activation::relu}},
        {"batch_normalization_1", BatchNormalizationConfig{}},
        {"conv2d_1", Conv2dConfig{.filters = 2, .kernel_size = {1, 1}}},
        {"conv2d_2", Conv2dConfig{.filters = 20,
                                  .kernel_size = {3, 3},
                                  .padding = Padding::same,
                                  .activation = Activation::relu}},
        {"conv2d_3", Conv2dConfig{.filters = 20,
                                  .kernel_size = {3, 3},
                                  .padding = Padding::same,
                                  .activation = Activation::relu}},
        {"max_pooling2d", PoolingConfig{}},
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 4}}};
    for (const int channels : {1, 3, 4})
        for (const int batch_size : {5, 19}) {
            CAPTURE(channels, batch_size);
            RunConfig config = tiny_run(layers);
            config.train.batch_size = batch_size;
            check_same_bits(config, {.shape = {9, 10, channels, false}, .training_samples = 45});
        }
}

TEST_CASE("same bits: a pool with nothing trained in front, and batches larger than the data",
          "[trainer][mpi]") {
    const std::vector<LayerConfig> layers{{"max_pooling2d", PoolingConfig{}},
                                          {"dropout", DropoutConfig{0.3}},
                                          {"flatten", FlattenConfig{}},
                                          {"dense", DenseConfig{.units = 4}}};
    RunConfig config = tiny_run(layers);
    config.train.batch_size = 1000;
    check_same_bits(config, {.training_samples = 60});
}

TEST_CASE("same bits: a subset of the classes, standard scale, stratified validation",
          "[trainer][mpi]") {
    RunConfig config = tiny_run(every_kind_of_layer(2));
    config.data.classes = {"class 3", "class 1"};
    config.data.scale = Scale::standard;
    config.data.validation = FractionValidation{0.2};
    check_same_bits(config, {.training_samples = 120});
}

TEST_CASE("same bits: no validation, fewer steps than the data has, a schedule, no shuffle",
          "[trainer][mpi]") {
    RunConfig config = tiny_run();
    config.data.validation = NoValidation{};
    config.data.scale = Scale::raw;
    config.train.steps_per_epoch = 2;
    config.train.schedule = {.shape = CosineSchedule{.over_epochs = 2.0}, .warmup_epochs = 0.5};
    config.train.shuffle = false;
    const Trained trained = check_same_bits(config);
    const bool is_root = Communicator(MPI_COMM_WORLD).is_root();
    CHECK(trained.seen.epochs.size() == (is_root ? 2 : 0));
    for (const EpochRecord& epoch : trained.seen.epochs) {
        CHECK(epoch.training.count == 2 * 16);
        CHECK_FALSE(epoch.validation);
    }
}

TEST_CASE("same bits: more channels than one vector, one class of images without colour",
          "[trainer][mpi]") {
    const std::vector<LayerConfig> layers = {
        {"conv2d", Conv2dConfig{.filters = 20, .kernel_size = {3, 3}, .strides = {2, 2}}},
        {"conv2d_1", Conv2dConfig{.filters = 33,
                                  .kernel_size = {3, 1},
                                  .padding = Padding::same,
                                  .activation = Activation::relu}},
        {"flatten", FlattenConfig{}},
        {"dense", DenseConfig{.units = 4, .use_bias = false}}};
    check_same_bits(tiny_run(layers), {.shape = {9, 7, 1, false}});
}

TEST_CASE("each sample is trained on once an epoch and evaluated once", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Trained trained = train_tiny(tiny_run(), world);
    if (!world.is_root()) return;
    REQUIRE(trained.seen.epochs.size() == 2);
    for (const EpochRecord& epoch : trained.seen.epochs) {
        CHECK(epoch.steps == 3);
        CHECK(epoch.training.count == 45);
        REQUIRE(epoch.validation);
        CHECK(epoch.validation->count == 21);
    }
    CHECK(trained.outcome.test.count == 21);
    CHECK(trained.outcome.test_probabilities.size() == 21 * 4);
    std::int64_t count = 0;
    for (const StepRecord& step : trained.seen.steps) count += step.step_metrics.count;
    CHECK(count == 2 * 45);
}

TEST_CASE("an epoch's figures are the means of its steps over the samples", "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    const Trained trained = train_tiny(tiny_run(), world);
    if (!world.is_root()) return;
    REQUIRE(trained.seen.steps.size() == 6);
    for (std::size_t epoch = 0; epoch < 2; ++epoch) {
        double loss = 0.0, correct = 0.0, count = 0.0;
        for (std::size_t i = 3 * epoch; i < 3 * epoch + 3; ++i) {
            const Metrics& step = trained.seen.steps[i].step_metrics;
            loss += step.loss * static_cast<double>(step.count);
            correct += step.accuracy * static_cast<double>(step.count);
            count += static_cast<double>(step.count);
            CHECK(trained.seen.steps[i].epoch_metrics.loss == Approx(loss / count).epsilon(1e-12));
        }
        CHECK(trained.seen.epochs[epoch].training.loss == Approx(loss / count).epsilon(1e-12));
        CHECK(trained.seen.epochs[epoch].training.accuracy ==
              Approx(correct / count).epsilon(1e-12));
    }
}

TEST_CASE("ring and mpi: replicas stay equal, losses are those of ordered within rounding",
          "[trainer][mpi]") {
    const Communicator world(MPI_COMM_WORLD);
    RunConfig config = tiny_run();
    const OptimizerConfig sgd{.learning_rate = 0.01, .rule = SgdConfig{.momentum = 0.9}};
    const OptimizerConfig muon{.learning_rate = 0.01,
                               .rule = MuonConfig{.exclude_convolutions = false}};
    for (const auto& [optimizer, kind] : {std::pair{sgd, ExchangeKind::ring},
                                          {sgd, ExchangeKind::mpi},
                                          {muon, ExchangeKind::ring},
                                          {muon, ExchangeKind::mpi}}) {
        CAPTURE(optimizer.rule.index());
        config.train.optimizer = optimizer;
        config.parallel.exchange = ExchangeKind::ordered;
        const Trained ordered = train_tiny(config, world);
        CHECK(ordered.seen.steps.size() == (world.is_root() ? 6 : 0));
        config.parallel.exchange = kind;
        const Trained other = train_tiny(config, world);  // compares the replicas every epoch
        const std::string digest = digest_of(other.outcome.weights);
        for (const std::string& replica : world.gather_texts(digest)) CHECK(replica == digest);
        CHECK(other.seen.steps.size() == ordered.seen.steps.size());
        for (std::size_t i = 0; i < ordered.seen.steps.size(); ++i)
            CHECK(other.seen.steps[i].step_metrics.loss ==
                  Approx(ordered.seen.steps[i].step_metrics.loss).epsilon(1e-4));
    }
}
