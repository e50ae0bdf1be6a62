// What mixup draws, by distributions in closed form; images and losses of mixed samples in double.
#include "trainer/augmentation/mixup.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/augmentation/augmentation.hpp"
#include "trainer/parameters/initializers.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr std::uint64_t kSeed = 5;
const RandomKey kKey = random_key(kSeed, Purpose::augmentation);

std::vector<double> draws(double alpha, std::uint32_t count) {
    std::vector<double> values;
    for (std::uint32_t index = 0; index < count; ++index)
        values.push_back(draw_beta(alpha, kKey, {1, index, 0, 0}));
    return values;
}

// Pearson's statistic over 20 equally likely bins; 19 degrees of freedom.
double chi_square(const std::vector<double>& values, const std::function<double(double)>& cdf) {
    std::array<double, 20> counts{};
    for (const double value : values)
        counts.at(std::min<std::size_t>(19, static_cast<std::size_t>(20.0 * cdf(value)))) += 1.0;
    const double expected = static_cast<double>(values.size()) / 20.0;
    double sum = 0.0;
    for (const double count : counts) sum += (count - expected) * (count - expected) / expected;
    return sum;
}
constexpr double kQuantile999 = 43.8;

std::vector<float> values_of(const AugmentedImage& image, std::size_t size) {
    if (image.bytes != nullptr) return {image.bytes, image.bytes + size};
    return {image.values, image.values + size};
}

RunData tiny_data() { return select_samples(make_tiny_dataset(), {}, 1); }

}  // namespace

TEST_CASE("weights are those of a beta distribution", "[augmentation][mixup]") {
    constexpr std::uint32_t kCount = 20'000;
    CHECK(chi_square(draws(1.0, kCount), [](double x) { return x; }) < kQuantile999);
    CHECK(chi_square(draws(0.5, kCount), [](double x) {
              return 2.0 / std::numbers::pi * std::asin(std::sqrt(x));
          }) < kQuantile999);
    CHECK(chi_square(draws(2.0, kCount), [](double x) { return x * x * (3.0 - 2.0 * x); }) <
          kQuantile999);
    for (const double alpha : {0.001, 0.2, 0.7, 3.0, 100.0}) {
        CAPTURE(alpha);
        double sum = 0.0, squares = 0.0, fourths = 0.0;
        for (const double value : draws(alpha, kCount)) {
            CHECK((value >= 0.0 && value <= 1.0));
            const double off = value - 0.5;
            sum += off;
            squares += off * off;
            fourths += off * off * off * off;
        }
        const double variance = 1.0 / (4.0 * (2.0 * alpha + 1.0));
        const double spread =
            std::sqrt(std::max(fourths / kCount - variance * variance, 0.0) / kCount);
        CHECK(std::abs(sum / kCount) < 5.0 * std::sqrt(variance / kCount));
        CHECK(squares / kCount == Approx(variance).margin(5.0 * spread + 1e-12));
    }
}

TEST_CASE("a mix is a function of seed, epoch and image, its partner any",
          "[augmentation][mixup]") {
    std::array<int, 10> counts{};
    for (std::uint32_t index = 0; index < 2000; ++index) {
        const Mix mix = draw_mix(0.2, kKey, {3, index, 1, 0}, 10);
        const Mix again = draw_mix(0.2, kKey, {3, index, 1, 0}, 10);
        CHECK((mix.partner == again.partner && mix.weight == again.weight));
        CHECK(draw_mix(0.2, kKey, {4, index, 1, 0}, 10).weight != mix.weight);
        ++counts.at(mix.partner);
    }
    for (const int count : counts) CHECK(std::abs(count - 200) < 68);  // 5 standard deviations
}

TEST_CASE("a mixed image is the sum of two, each changed as it would be by itself",
          "[augmentation][mixup]") {
    const RunData data = tiny_data();
    const auto size = static_cast<std::size_t>(data.shape.size());
    const AugmentationConfig flip = RandomFlipConfig{}, crop = RandomCropConfig{2, {}};
    const std::vector<AugmentationConfig> in_front{flip, crop};
    const std::vector<AugmentationConfig> changes{flip, crop, MixupConfig{0.8}};
    const std::vector<AugmentationConfig> cut{flip, crop, MixupConfig{0.8}, CutoutConfig{3, 7.0}};
    Augmentation front(in_front, data.shape, kSeed), mixed(changes, data.shape, kSeed),
        with_cutout(cut, data.shape, kSeed);
    CHECK_FALSE(front.mixes());
    REQUIRE(mixed.mixes());
    for (std::uint32_t sample = 0; sample < 45; ++sample) {
        const Mix mix = mixed.mix_of(data.training, sample, 2);
        const auto own = values_of(front.of(data.training, sample, 2), size);
        const auto partner = values_of(front.of(data.training, mix.partner, 2), size);
        const auto sum = values_of(mixed.of(data.training, sample, 2), size);
        const auto weight = static_cast<double>(mix.weight);
        for (std::size_t i = 0; i < size; ++i)
            CHECK(static_cast<double>(sum[i]) ==
                  Approx(weight * static_cast<double>(own[i]) +
                         (1.0 - weight) * static_cast<double>(partner[i]))
                      .epsilon(1e-6)
                      .margin(1e-4));
        // What stands behind changes the sum.
        const auto behind = values_of(with_cutout.of(data.training, sample, 2), size);
        std::size_t cut_values = 0;
        for (std::size_t i = 0; i < size; ++i) {
            CHECK((behind[i] == sum[i] || behind[i] == 7.0F));
            cut_values += behind[i] == 7.0F ? 1U : 0U;
        }
        CHECK(cut_values >= 4 * 3);
        CHECK(cut_values <= 9 * 3 + 6);
    }
}

TEST_CASE("partners are of the run's training samples", "[augmentation][mixup]") {
    RunConfig config = tiny_run();
    config.data.classes = {"class 2", "class 0"};
    config.data.validation = FirstValidation{4};
    const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
    Augmentation augmentation(std::vector<AugmentationConfig>{MixupConfig{}}, data.shape, kSeed);
    for (std::uint32_t sample = 0; sample < data.training.count(); ++sample)
        CHECK(augmentation.mix_of(data.training, sample, 1).partner < data.training.count());
}

TEST_CASE("the loss of a step of mixed images is that of their parts", "[augmentation][mixup]") {
    RunConfig config = tiny_run({{"flatten", FlattenConfig{}}, {"dense", DenseConfig{.units = 4}}});
    config.data.augmentation = {MixupConfig{0.6}};
    config.train.label_smoothing = 0.2;
    const Communicator self(MPI_COMM_SELF);
    const Trained trained = train_tiny(config, self);
    const RunData data = select_samples(make_tiny_dataset(), config.data, config.train.seed);
    const Architecture architecture = infer_shapes(config.layers, data.shape, 4);
    const NamedTensors weights = initial_weights(architecture, config.train.seed);
    const auto order = epoch_order(config.train.seed, 1, data.training.count());
    Augmentation augmentation(config.data.augmentation, data.shape, config.train.seed);
    const auto size = static_cast<std::size_t>(data.shape.size());
    double loss = 0.0;
    int correct = 0;
    for (std::size_t n = 0; n < 16; ++n) {
        const Mix mix = augmentation.mix_of(data.training, order[n], 1);
        const auto weight = static_cast<double>(mix.weight);
        std::array<double, 4> logits{};
        for (std::size_t i = 0; i < size; ++i) {
            // Keras' feature (y, x, channel) of planes [channel][y][x].
            const std::size_t pixel = i / 3, place = i % 3 * 64 + pixel;
            const double value =
                (weight * data.training.pixels_of(order[n], size)[place] +
                 (1.0 - weight) * data.training.pixels_of(mix.partner, size)[place]) /
                255.0;
            for (std::size_t c = 0; c < 4; ++c)
                logits.at(c) += value * static_cast<double>(weights[0].values[i * 4 + c]);
        }
        double total = 0.0, mean = 0.0;
        for (const double logit : logits) {
            total += std::exp(logit);
            mean += logit / 4.0;
        }
        const std::size_t label = data.training.labels[order[n]];
        const std::size_t other = data.training.labels[mix.partner];
        const double of_labels = weight * logits.at(label) + (1.0 - weight) * logits.at(other);
        loss += std::log(total) - 0.8 * of_labels - 0.2 * mean;
        const auto answer =
            static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
        correct += answer == (weight >= 0.5 ? label : other) ? 1 : 0;
    }
    const Metrics& found = trained.seen.steps.at(0).step_metrics;
    CHECK(found.loss == Approx(loss / 16.0).epsilon(1e-5));
    CHECK(found.accuracy == Approx(correct / 16.0));
}
