#include "tests/trainer/golden_setting.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <memory>
#include <utility>

#include "tests/support/random_values.hpp"
#include "tests/support/worst_error.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

constexpr std::uint64_t kPixels = 32 * 32;

LayerConfig convolution(std::string name, int filters, int groups = 1, int rate = 1) {
    return {std::move(name), Conv2dConfig{.filters = filters,
                                          .kernel_size = {3, 3},
                                          .padding = Padding::same,
                                          .activation = Activation::relu,
                                          .dilation_rate = {rate, rate},
                                          .groups = groups}};
}

LayerConfig depthwise(std::string name, int size, Padding padding, int stride, int multiplier) {
    return {std::move(name), DepthwiseConv2dConfig{.kernel_size = {size, size},
                                                   .strides = {stride, stride},
                                                   .padding = padding,
                                                   .depth_multiplier = multiplier,
                                                   .activation = Activation::relu}};
}

// Every kind of convolution, padding and enlarging: "depthwise" of make_golden.py.
TutorialNetwork all_convolutions() {
    return {"depthwise",
            10,
            {.learning_rate = 1e-3, .rule = AdamConfig{}},
            0,
            {{"conv2d",
              Conv2dConfig{.filters = 8, .kernel_size = {3, 3}, .activation = Activation::relu}},
             {"max_pooling2d", PoolingConfig{}},
             depthwise("depthwise_conv2d", 3, Padding::same, 1, 2),
             depthwise("depthwise_conv2d_1", 3, Padding::same, 2, 1),
             {"separable_conv2d",
              SeparableConv2dConfig{
                  .filters = 24, .kernel_size = {3, 3}, .activation = Activation::relu}},
             convolution("conv2d_1", 32, 4),
             convolution("conv2d_2", 16, 1, 2),
             {"zero_padding2d", ZeroPadding2dConfig{.vertical = {0, 1}, .horizontal = {1, 0}}},
             depthwise("depthwise_conv2d_2", 5, Padding::valid, 1, 1),
             {"up_sampling2d", UpSampling2dConfig{{2, 2}, Interpolation::bilinear}},
             {"flatten", FlattenConfig{}},
             {"dense", DenseConfig{.units = 10}}}};
}

}  // namespace

std::vector<TutorialNetwork> golden_networks() {
    std::vector<TutorialNetwork> networks = tutorial_networks(false);
    networks.push_back(all_convolutions());
    return networks;
}

double golden_unit(std::uint64_t counter) {
    return static_cast<double>(splitmix64(counter) >> 11) * 0x1p-53;
}

nlohmann::json golden_steps(const std::string& name) {
    std::ifstream file(std::string(LOCKSTEP_GOLDEN_DIRECTORY) + "/" + name + ".json");
    return nlohmann::json::parse(file);
}

ImageSet golden_images(std::uint64_t count, std::uint64_t classes) {
    ImageSet images;
    std::vector<std::uint8_t> pixels;
    for (std::uint64_t n = 0; n < count; ++n) {
        const std::uint64_t label = splitmix64((1ULL << 60) + n) % classes;
        images.labels.push_back(static_cast<std::uint8_t>(label));
        for (std::uint64_t i = 0; i < 3 * kPixels; ++i) {
            const std::uint64_t c = i / kPixels, h = i / 32 % 32, w = i % 32;
            const auto pattern =
                splitmix64((1ULL << 61) + (label << 20) + 64 * c + 8 * (h / 4) + w / 4) & 127;
            const auto noise = splitmix64((1ULL << 62) + (n << 20) + i) & 127;
            pixels.push_back(static_cast<std::uint8_t>(pattern + noise));
        }
    }
    images.pixels = std::move(pixels);
    return images;
}

RunData golden_data(int classes, std::uint64_t count) {
    auto dataset = std::make_shared<Dataset>();
    dataset->shape = kGoldenImage;
    for (int label = 0; label < classes; ++label)
        dataset->class_names.push_back(std::to_string(label));
    dataset->training = golden_images(count, static_cast<std::uint64_t>(classes));
    dataset->test = golden_images(1, 1);
    return select_samples(dataset, DataConfig{}, 1);
}

std::vector<float> golden_input(const ImageSet& images) {
    std::vector<float> planes;
    for (const std::uint8_t pixel : images.pixels)
        planes.push_back(static_cast<float>(pixel) / 255.0F);
    std::vector<float> input(planes.size());
    relayout(trainer::planes(kGoldenImage), planes.data(), interleaved(kGoldenImage), input.data(),
             static_cast<int>(images.count()));
    return input;
}

std::vector<float> golden_kernel(std::uint64_t seed, std::uint64_t number,
                                 const std::vector<std::int64_t>& shape) {
    std::int64_t size = 1;
    for (const std::int64_t axis : shape) size *= axis;
    const auto in = shape[shape.size() - 2], out = shape[shape.size() - 1];
    const double fans = static_cast<double>(size / (in * out) * (in + out));
    const std::uint64_t counter = (seed << 40) + (number << 32);
    std::vector<float> values;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(size); ++i)
        values.push_back(
            static_cast<float>((2.0 * golden_unit(counter + i) - 1.0) * std::sqrt(6.0 / fans)));
    return values;
}

NamedTensors golden_weights(const TutorialNetwork& network, std::uint64_t seed) {
    NamedTensors weights;
    std::uint64_t kernel = 0;
    for (const LayerShape& layer :
         infer_shapes(network.layers, kGoldenImage, network.classes).layers)
        for (const ParameterShape& parameter : layer.parameters) {
            const auto size = static_cast<std::size_t>(parameter.size());
            const bool is_one = parameter.name == "gamma" || parameter.name == "moving_variance";
            NamedTensor tensor{layer.name, parameter.name, parameter.shape,
                               std::vector<float>(size, is_one ? 1.0F : 0.0F)};
            if (parameter.name.ends_with("kernel"))
                tensor.values = golden_kernel(seed, kernel++, parameter.shape);
            weights.push_back(std::move(tensor));
        }
    return weights;
}

double largest_golden_error(const NamedTensors& tensors, const nlohmann::json& summaries,
                            double least_norm) {
    double worst = 0.0;
    for (const NamedTensor& tensor : tensors) {
        double squares = 0.0, projection = 0.0;
        for (std::size_t i = 0; i < tensor.values.size(); ++i) {
            const auto value = static_cast<double>(tensor.values[i]);
            squares += value * value;
            projection += value * (2.0 * golden_unit((1ULL << 59) + i) - 1.0);
        }
        const auto summary = summaries.find(tensor.layer + "/" + tensor.name);
        if (summary == summaries.end()) return HUGE_VAL;
        const double norm = (*summary)[0], expected = (*summary)[1];
        const double error =
            worse_of(std::abs(std::sqrt(squares) - norm), std::abs(projection - expected)) /
            std::max(norm, least_norm);
        worst = worse_of(worst, error);
    }
    return worst;
}

RunConfig golden_run(const TutorialNetwork& network, const nlohmann::json& steps) {
    RunConfig config;
    config.name = network.name;
    config.layers = network.layers;
    config.train.batch_size = steps["batch_size"];
    config.train.steps_per_epoch = static_cast<std::int64_t>(steps["losses"].size());
    config.train.shuffle = false;
    config.train.optimizer = network.optimizer;
    return config;
}

}  // namespace lockstep::tests
