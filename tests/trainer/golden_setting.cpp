#include "tests/trainer/golden_setting.hpp"

#include <cmath>
#include <fstream>
#include <memory>
#include <utility>

#include "tests/support/random_values.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

constexpr std::uint64_t kPixels = 32 * 32;

}  // namespace

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
            if (parameter.name == "kernel") {
                const auto& shape = parameter.shape;
                const auto in = shape[shape.size() - 2], out = shape[shape.size() - 1];
                const double fans = static_cast<double>(parameter.size() / (in * out) * (in + out));
                const std::uint64_t counter = (seed << 40) + (kernel++ << 32);
                for (std::size_t i = 0; i < size; ++i)
                    tensor.values[i] = static_cast<float>((2.0 * golden_unit(counter + i) - 1.0) *
                                                          std::sqrt(6.0 / fans));
            }
            weights.push_back(std::move(tensor));
        }
    return weights;
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
