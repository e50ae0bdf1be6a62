#include "tests/support/tiny_training.hpp"

#include <cstdio>
#include <span>
#include <utility>
#include <vector>

#include "tests/support/random_values.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

ImageSet tiny_images(const TinyDataset& setting, int samples, std::uint64_t seed) {
    ImageSet images;
    std::vector<std::uint8_t> pixels;
    RandomValues random(seed);
    const auto size = static_cast<std::uint64_t>(setting.shape.size());
    for (int n = 0; n < samples; ++n) {
        const auto label = static_cast<std::uint64_t>(n % setting.classes);
        images.labels.push_back(static_cast<std::uint8_t>(label));
        for (std::uint64_t i = 0; i < size; ++i) {
            const std::uint64_t pattern = splitmix64(label << 20 | i) & 127;
            pixels.push_back(static_cast<std::uint8_t>(pattern + random.below(128)));
        }
    }
    images.pixels = std::move(pixels);
    return images;
}

std::string in_hex(double value) {  // exact
    char text[40];
    std::snprintf(text, sizeof text, "%a ", value);
    return text;
}

}  // namespace

std::shared_ptr<const Dataset> make_tiny_dataset(const TinyDataset& setting) {
    auto dataset = std::make_shared<Dataset>();
    dataset->name = "tiny";
    dataset->shape = setting.shape;
    for (int label = 0; label < setting.classes; ++label)
        dataset->class_names.push_back("class " + std::to_string(label));
    dataset->training = tiny_images(setting, setting.training_samples, 1);
    dataset->test = tiny_images(setting, setting.test_samples, 2);
    return dataset;
}

std::vector<LayerConfig> every_kind_of_layer(int classes) {
    return {{"conv2d", Conv2dConfig{.filters = 10,
                                    .kernel_size = {3, 3},
                                    .padding = Padding::same,
                                    .activation = Activation::relu}},
            {"batch_normalization", BatchNormalizationConfig{}},
            {"conv2d_1",
             Conv2dConfig{.filters = 16, .kernel_size = {2, 2}, .activation = Activation::relu}},
            {"max_pooling2d", PoolingConfig{.pool_size = {3, 3}, .padding = Padding::same}},
            {"dropout", DropoutConfig{0.25}},
            {"conv2d_2",
             Conv2dConfig{
                 .filters = 5, .kernel_size = {2, 2}, .padding = Padding::same, .use_bias = false}},
            {"batch_normalization_1", BatchNormalizationConfig{}},
            {"activation", ActivationConfig{Activation::relu}},
            {"average_pooling2d", PoolingConfig{.kind = PoolingKind::average, .strides = {1, 2}}},
            {"flatten", FlattenConfig{}},
            {"dense", DenseConfig{.units = 21, .activation = Activation::relu}},
            {"dropout_1", DropoutConfig{0.4}},
            {"batch_normalization_2", BatchNormalizationConfig{}},
            {"dense_1", DenseConfig{.units = classes, .activation = Activation::softmax}}};
}

std::vector<LayerConfig> residual_layers(int classes) {
    const auto conv = [](std::string name, int filters, int stride, ValueNumber source) {
        return LayerConfig{std::move(name),
                           Conv2dConfig{.filters = filters,
                                        .kernel_size = {3, 3},
                                        .strides = {stride, stride},
                                        .padding = Padding::same,
                                        .use_bias = false},
                           {source}};
    };
    const auto norm = [](std::string name) {
        return LayerConfig{std::move(name), BatchNormalizationConfig{}};
    };
    const auto relu = [](std::string name) {
        return LayerConfig{std::move(name), ActivationConfig{Activation::relu}};
    };
    return {conv("stem", 16, 1, 0),
            norm("stem_norm"),
            relu("stem_relu"),  // value 3
            conv("a1", 16, 1, 3),
            norm("a1_norm"),
            relu("a1_relu"),
            conv("a2", 16, 1, 6),
            norm("a2_norm"),
            {"a_add", MergeConfig{MergeKind::add}, {8, 3}},
            relu("a_relu"),  // value 10
            conv("b1", 20, 2, 10),
            norm("b1_norm"),
            relu("b1_relu"),
            conv("b2", 20, 1, 13),
            norm("b2_norm"),
            {"shortcut", Conv2dConfig{.filters = 20, .strides = {2, 2}}, {10}},
            {"b_add", MergeConfig{MergeKind::add}, {15, 16}},
            {"b_gate", MergeConfig{MergeKind::multiply}, {17, 16}},
            relu("b_relu"),
            {"wide", MergeConfig{MergeKind::concatenate}, {19, 15}},
            {"dropout", DropoutConfig{0.25}},
            {"pool", GlobalPoolingConfig{}},
            {"top", GlobalPoolingConfig{PoolingKind::max}, {20}},
            {"both", MergeConfig{MergeKind::concatenate}, {22, 23}},
            {"dense", DenseConfig{.units = classes}}};
}

std::vector<LayerConfig> activated_layers(int classes) {
    const auto conv = [](std::string name, int filters, Activation activation) {
        return LayerConfig{
            std::move(name),
            Conv2dConfig{.filters = filters, .kernel_size = {2, 2}, .activation = activation}};
    };
    return {conv("relu6", 10, Activation::relu6),
            conv("sigmoid", 17, Activation::sigmoid),
            {"batch_normalization", BatchNormalizationConfig{}},
            {"silu", ActivationConfig{Activation::silu}},
            conv("gelu", 7, Activation::gelu),
            {"squash", ActivationConfig{Activation::sigmoid}},
            conv("elu", 9, Activation::elu),
            {"average_pooling2d", PoolingConfig{.kind = PoolingKind::average}},
            {"flatten", FlattenConfig{}},
            {"squash_1", ActivationConfig{Activation::sigmoid}},
            {"tanh", DenseConfig{.units = 21, .activation = Activation::tanh}},
            {"leaky_relu", DenseConfig{.units = 8, .activation = Activation::leaky_relu}},
            {"hard_swish", DenseConfig{.units = classes, .activation = Activation::hard_swish}}};
}

std::vector<LayerConfig> gated_layers(int classes) {
    const auto conv = [](std::string name, int filters, int size, Activation activation) {
        return LayerConfig{std::move(name), Conv2dConfig{.filters = filters,
                                                         .kernel_size = {size, size},
                                                         .activation = activation,
                                                         .use_bias = size == 1}};
    };
    const GlobalPoolingConfig to_pixel{.kind = PoolingKind::average, .keepdims = true};
    return {{"rescaling", RescalingConfig{2.0, -0.5}},
            conv("conv", 10, 3, Activation::linear),
            {"layer_normalization", LayerNormalizationConfig{}},
            {"gelu", ActivationConfig{Activation::gelu}},
            {"rescaling_1", RescalingConfig{0.5, 0.25}},  // value 5
            {"squeeze", to_pixel},
            conv("reduce", 3, 1, Activation::silu),
            conv("gate", 10, 1, Activation::sigmoid),
            {"excite", MergeConfig{MergeKind::multiply}, {5, 8}},
            {"spatial_dropout2d", DropoutConfig{.rate = 0.25, .is_spatial = true}},
            conv("conv_1", 20, 2, Activation::linear),
            {"batch_normalization", BatchNormalizationConfig{.scale = false}},  // value 12
            {"mean", to_pixel},
            {"shift", MergeConfig{MergeKind::add}, {13, 12}},
            {"relu", ActivationConfig{Activation::relu}},
            {"flatten", FlattenConfig{}},
            {"layer_normalization_1", LayerNormalizationConfig{.center = false}},
            {"dense", DenseConfig{.units = classes}}};
}

std::vector<LayerConfig> plain_layers(int classes) {
    return {{"conv2d",
             Conv2dConfig{.filters = 6, .kernel_size = {3, 3}, .activation = Activation::relu}},
            {"max_pooling2d", PoolingConfig{}},
            {"flatten", FlattenConfig{}},
            {"dense", DenseConfig{.units = 12, .activation = Activation::relu}},
            {"dense_1", DenseConfig{.units = classes}}};
}

RunConfig tiny_run(std::vector<LayerConfig> layers) {
    RunConfig config;
    config.name = "tiny";
    config.layers = std::move(layers);
    config.data.validation = TestSetValidation{};
    config.train.batch_size = 16;
    config.train.epochs = 2;
    return config;
}

RunConfig tiny_recipe() {
    RunConfig config = tiny_run();
    config.train.label_smoothing = 0.1;
    config.train.class_weights = ClassWeights{{0.5, 2.0, 1.0, 1.75}};
    config.train.optimizer = {.learning_rate = 0.01,
                              .rule = AdamConfig{},
                              .weight_decay = 0.1,
                              .exclude_from_weight_decay = {"bias"},
                              .learning_rate_factors = {{"bias", 2.0}, {"beta", 8.0}},
                              .global_clipnorm = 0.5};
    config.layers.front().learning_rate_factor = 0.5;
    for (LayerConfig& layer : config.layers) {
        if (auto* conv = std::get_if<Conv2dConfig>(&layer.kind)) conv->kernel_l2 = 1e-3;
        if (auto* dense = std::get_if<DenseConfig>(&layer.kind)) dense->kernel_l2 = 3e-3;
    }
    config.train.schedule.shape = PlateauSchedule{
        .monitor = {.metric = "val_accuracy", .mode = MonitorMode::max, .min_delta = 0.05},
        .factor = 0.5,
        .patience = 1,
        .cooldown = 1};
    return config;
}

RunConfig whitened_run() {
    const Conv2dConfig first{.filters = 24,
                             .kernel_size = {2, 2},
                             .activation = Activation::gelu,
                             .kernel_initializer = Initializer::patch_whitening,
                             .bias_l2 = 1e-3};
    const Conv2dConfig second{.filters = 30,
                              .kernel_size = {3, 3},
                              .padding = Padding::same,
                              .use_bias = false,
                              .kernel_initializer = Initializer::dirac,
                              .kernel_l2 = 1e-3};
    RunConfig config = tiny_run(
        {{"first", first},
         {"second", second},
         {"pool", PoolingConfig{}},
         {"norm", BatchNormalizationConfig{.momentum = 0.6, .beta_l2 = 1e-3, .gamma_l2 = 2e-3}},
         {"flatten", FlattenConfig{}},
         {"dense", DenseConfig{.units = 4, .bias_l2 = 1e-3}},
         {"rescaling", RescalingConfig{.scale = 0.25}}});
    config.layers.front().trainable_epochs = {{"kernel", 0}, {"bias", 1}};
    config.data.scale = Scale::standard;
    config.data.augmentation = {RandomFlipConfig{FlipMode::alternating}, MixupConfig{},
                                RandomCropConfig{1, {}}};
    config.train.label_smoothing = 0.2;
    config.train.optimizer = {.learning_rate = 0.05,
                              .rule = SgdConfig{.momentum = 0.85, .nesterov = true},
                              .global_clipnorm = 1.0};
    return config;
}

Trained train_tiny(const RunConfig& config, const Communicator& comm, const TrainState* resume_from,
                   const TinyDataset& dataset) {
    const RunData data = select_samples(make_tiny_dataset(dataset), config.data, config.train.seed);
    Trained trained;
    trained.outcome = train({.config = config,
                             .data = data,
                             .initial_weights = nullptr,
                             .resume_from = resume_from,
                             .stop_requested = {}},
                            comm, trained.seen);
    return trained;
}

Trained train_step_by_step(const RunConfig& config, const Communicator& comm,
                           std::function<bool()> stop_requested) {
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    Trained trained;
    trained.seen.wants = [] { return true; };
    trained.outcome = train({.config = config,
                             .data = data,
                             .initial_weights = nullptr,
                             .resume_from = nullptr,
                             .stop_requested = std::move(stop_requested)},
                            comm, trained.seen);
    return trained;
}

std::string digest_of(const NamedTensors& tensors) {
    Sha256 digest;
    for (const NamedTensor& tensor : tensors) {
        const std::string name = tensor.layer + "/" + tensor.name + "\n";
        digest.update(std::as_bytes(std::span(name)));
        digest.update(std::as_bytes(std::span(tensor.shape)));
        digest.update(std::as_bytes(std::span(tensor.values)));
    }
    return digest.hex();
}

std::string bits_of(const Metrics& metrics) {
    return in_hex(metrics.loss) + in_hex(metrics.accuracy) +
           in_hex(metrics.top_5_accuracy.value_or(-1.0)) + std::to_string(metrics.count) + " ";
}

std::string bits_of(const std::vector<EpochRecord>& epochs) {
    std::string text;
    for (const EpochRecord& epoch : epochs) {
        text += std::to_string(epoch.epoch) + "/" + std::to_string(epoch.epochs) + " " +
                std::to_string(epoch.steps) + " " + bits_of(epoch.training) +
                in_hex(epoch.learning_rate) + epoch.weights_digest;
        if (epoch.validation) text += " validation " + bits_of(*epoch.validation);
        text += "\n";
    }
    return text;
}

std::string bits_of(const std::vector<StepRecord>& steps) {
    std::string text;
    for (const StepRecord& step : steps)
        text += std::to_string(step.epoch) + " " + std::to_string(step.step) + " " +
                std::to_string(step.step_in_epoch) + "/" + std::to_string(step.steps_per_epoch) +
                " " + bits_of(step.step_metrics) + bits_of(step.epoch_metrics) + "\n";
    return text;
}

}  // namespace lockstep::tests
