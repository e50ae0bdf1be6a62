#include "trainer/data/synthetic.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/data/cifar10.hpp"
#include "trainer/determinism/digest.hpp"

namespace {

using namespace lockstep::trainer;

constexpr std::size_t kImage = 3 * 32 * 32;
using Image = std::array<std::uint8_t, kImage>;

Image image_of(const ImageSet& images, std::size_t index) {
    Image image{};
    std::copy_n(images.pixels.begin() + static_cast<std::ptrdiff_t>(index * kImage), kImage,
                image.begin());
    return image;
}

}  // namespace

TEST_CASE("synthetic: the bits are the same on every machine", "[synthetic]") {
    // Golden, made by this program: equal under g++ 12 (-O0, -O2, -O3 -march=native) and 14 (-O2).
    DataConfig config;
    config.dataset = "synthetic";
    config.settings["training_samples"] = std::int64_t{200};
    config.settings["test_samples"] = std::int64_t{50};
    config.settings["seed"] = std::int64_t{1};
    CHECK(load_dataset(config)->digest ==
          "b87935af4f93a8555c82923e980451016b5458bab1bfb708aec4ed05a27af8ad");
}

TEST_CASE("synthetic: an image does not depend on how many there are", "[synthetic]") {
    const Dataset few = make_synthetic(15, 3, 4);
    const Dataset many = make_synthetic(40, 25, 4);
    CHECK(std::equal(few.training.labels.begin(), few.training.labels.end(),
                     many.training.labels.begin()));
    CHECK(std::equal(few.training.pixels.begin(), few.training.pixels.end(),
                     many.training.pixels.begin()));
    CHECK(std::equal(few.test.pixels.begin(), few.test.pixels.end(), many.test.pixels.begin()));
}

TEST_CASE("synthetic: an image can be drawn alone", "[synthetic]") {
    const Dataset dataset = make_synthetic(12, 30, 9);
    Image image{};
    const auto label = draw_synthetic_image(9, SyntheticSplit::test, 23, image);
    CHECK(label == dataset.test.labels[23]);
    CHECK(image == image_of(dataset.test, 23));
}

TEST_CASE("synthetic: seeds, splits and indices give different images", "[synthetic]") {
    const Dataset one = make_synthetic(50, 50, 1);
    const Dataset two = make_synthetic(50, 50, 2);
    std::set<Image> images;
    for (const ImageSet* set : {&one.training, &one.test, &two.training, &two.test})
        for (std::size_t i = 0; i < 50; ++i) images.insert(image_of(*set, i));
    CHECK(images.size() == 200);
}

TEST_CASE("synthetic: each ten images in a row have all ten classes, in changing order",
          "[synthetic]") {
    const Dataset dataset = make_synthetic(100, 10, 3);
    std::set<std::vector<Label>> orders;
    for (auto from = dataset.training.labels.begin(); from != dataset.training.labels.end();
         from += 10) {
        std::vector<Label> labels(from, from + 10);
        orders.insert(labels);
        std::ranges::sort(labels);
        CHECK(labels == std::vector<Label>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    }
    CHECK(orders.size() == 10);
}

TEST_CASE("synthetic: classes go by CIFAR-10's names, and traits agree with the set",
          "[synthetic]") {
    DataConfig config;
    config.dataset = "synthetic";
    config.settings["training_samples"] = std::int64_t{20};
    config.settings["test_samples"] = std::int64_t{11};
    const auto dataset = load_dataset(config);
    const DatasetTraits traits = dataset_traits(config);
    CHECK(traits.class_names == cifar10_class_names());
    CHECK(dataset->class_names == traits.class_names);
    CHECK(dataset->shape == traits.shape);
    CHECK(dataset->training.count() == traits.training_samples);
    CHECK(dataset->test.count() == traits.test_samples);
}

TEST_CASE("synthetic: the nearest mean image is far from solving the task", "[synthetic]") {
    // Means learnt on 2,000 images: a class is no template.
    const Dataset dataset = make_synthetic(2000, 500, 1);
    std::vector<std::vector<double>> means(10, std::vector<double>(kImage));
    for (std::size_t i = 0; i < 2000; ++i)
        for (std::size_t k = 0; k < kImage; ++k)
            means[dataset.training.labels[i]][k] += dataset.training.pixels[i * kImage + k] / 200.0;
    int correct = 0;
    for (std::size_t i = 0; i < 500; ++i) {
        const Image image = image_of(dataset.test, i);
        const auto distance = [&](const std::vector<double>& mean) {
            double sum = 0.0;
            for (std::size_t k = 0; k < kImage; ++k)
                sum += (image[k] - mean[k]) * (image[k] - mean[k]);
            return sum;
        };
        const auto nearest = std::ranges::min_element(means, {}, distance) - means.begin();
        correct += nearest == dataset.test.labels[i] ? 1 : 0;
    }
    CHECK(correct < 200);  // chance: 50 of 500
}

TEST_CASE("synthetic: a set without samples is refused", "[synthetic]") {
    CHECK_THROWS_AS(make_synthetic(0, 10, 1), DataError);
    CHECK_THROWS_AS(make_synthetic(10, 0, 1), DataError);
    CHECK_THROWS_AS(make_synthetic(std::numeric_limits<std::int64_t>::max(), 10, 1), DataError);
}
