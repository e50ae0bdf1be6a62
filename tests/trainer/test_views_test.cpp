// Views of test images, and evaluation as the mean over them: against images that are padded and
// cut by plain loops, each evaluated by itself.
#include "trainer/augmentation/test_views.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/data/pixel_scale.hpp"
#include "trainer/evaluate.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Bytes = std::vector<std::uint8_t>;

// A window of the image's size, `down` and `right` pixels from the corner of the image with a
// border of one pixel around it, in which the image is mirrored at its outermost pixels.
Bytes window_of_padded(const std::uint8_t* image, const Shape& shape, int down, int right) {
    const auto inside = [](int at, int size) {
        const int place = std::abs(at);
        return place < size ? place : 2 * size - 2 - place;
    };
    Bytes window;
    for (int c = 0; c < shape.channels; ++c)
        for (int y = 0; y < shape.height; ++y)
            for (int x = 0; x < shape.width; ++x) {
                const int row = inside(y + down - 1, shape.height);
                const int column = inside(x + right - 1, shape.width);
                window.push_back(image[(c * shape.height + row) * shape.width + column]);
            }
    return window;
}

Bytes mirrored(const Bytes& image, const Shape& shape) {
    Bytes result;
    for (std::size_t i = 0; i < image.size(); ++i) {
        const auto width = static_cast<std::size_t>(shape.width);
        result.push_back(image[i / width * width + (width - 1 - i % width)]);
    }
    return result;
}

// The six of airbench94, in the order and with the weights of its infer_mirror_translate():
// 0.5 x (image, mirror) + 0.5 x mean of (upper left, its mirror) and (lower right, its mirror).
struct WeightedImage {
    Bytes pixels;
    double weight;
};
std::vector<WeightedImage> six_views(const std::uint8_t* image, const Shape& shape) {
    std::vector<WeightedImage> views;
    for (const int corner : {1, 0, 2}) {
        const Bytes window = window_of_padded(image, shape, corner, corner);
        const double weight = 0.5 * 0.5 * (corner == 1 ? 1.0 : 0.5);
        views.push_back({window, weight});
        views.push_back({mirrored(window, shape), weight});
    }
    return views;
}

}  // namespace

TEST_CASE("views: an image, its mirror, and both moved by a pixel either way", "[trainer][data]") {
    for (const Shape& shape : {Shape{8, 8, 3}, Shape{5, 7, 1}, Shape{2, 3, 2}, Shape{1, 1, 1}}) {
        CAPTURE(shape.height, shape.width);
        ImageSet images;
        const auto size = static_cast<std::size_t>(shape.size());
        Bytes pixels(2 * size);
        std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
        images.pixels = Bytes(pixels);
        images.labels = {0, 0};
        const SampleSet samples{&images, {1, 0}, {0, 0}};
        const PixelScale raw = pixel_scale(Scale::raw, samples, shape);
        const Layout layout = planes(shape);
        ViewInput input(shape);
        const std::vector<std::uint32_t> which{0};  // the second image
        if (shape.height == 1) {                    // what is mirrored at one pixel is that pixel
            for (const View& view : views_of(TestViews::mirror_translate)) {
                float value = 0.0F;
                input.write(samples, which, view, raw, layout, &value);
                CHECK(value == 1.0F);
            }
            continue;
        }
        const auto expected = six_views(pixels.data() + size, shape);
        const auto views = views_of(TestViews::mirror_translate);
        REQUIRE(views.size() == 6);
        for (std::size_t i = 0; i < views.size(); ++i) {
            CAPTURE(i);
            std::vector<float> seen(layout.sample_size());
            input.write(samples, which, views[i], raw, layout, seen.data());
            CHECK(std::ranges::equal(seen, expected[i].pixels));
            CHECK(views[i].weight == expected[i].weight);
        }
        const auto two = views_of(TestViews::mirror);
        REQUIRE(two.size() == 2);
        for (std::size_t i = 0; i < two.size(); ++i) {
            std::vector<float> seen(layout.sample_size());
            input.write(samples, which, two[i], raw, layout, seen.data());
            CHECK(std::ranges::equal(seen, expected[i].pixels));
            CHECK(two[i].weight == 0.5);
        }
    }
}

// Softmax of a mean of logits is the weighted geometric mean of the probabilities, scaled to a sum
// of 1: each view is evaluated as an image of its own, and no logit is looked at.
TEST_CASE("views: an evaluation is of the mean of the logits", "[trainer][evaluation]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run(residual_layers());
    config.data.scale = Scale::standard;
    const TinyDataset setting{.shape = {8, 9, 3}, .test_samples = 131};
    const NamedTensors weights = train_tiny(config, self, nullptr, setting).outcome.weights;
    const RunData data = select_samples(make_tiny_dataset(setting), config.data, 1);
    const auto classes = data.class_names.size();
    const auto count = static_cast<std::size_t>(data.test.count());

    std::vector<double> logs(count * classes);
    const auto size = static_cast<std::size_t>(data.shape.size());
    for (std::size_t view = 0; view < 6; ++view) {
        Bytes pixels;
        double weight = 0.0;
        for (std::size_t n = 0; n < count; ++n) {
            const auto all = six_views(data.test.pixels_of(n, size), data.shape);
            pixels.insert(pixels.end(), all[view].pixels.begin(), all[view].pixels.end());
            weight = all[view].weight;
        }
        ImageSet images;
        images.pixels = std::move(pixels);
        images.labels = data.test.labels;
        SampleSet samples{&images, std::vector<std::uint32_t>(count), data.test.labels};
        std::iota(samples.indices.begin(), samples.indices.end(), 0U);
        const Evaluation of_view = evaluate(config, weights, data, samples, self);
        for (std::size_t i = 0; i < logs.size(); ++i)
            logs[i] += weight * std::log(static_cast<double>(of_view.probabilities[i]));
    }

    const Evaluation found =
        evaluate(config, weights, data, data.test, self, TestViews::mirror_translate);
    double loss = 0.0;
    int correct = 0, differing = 0;
    const Evaluation plain = evaluate(config, weights, data, data.test, self);
    for (std::size_t n = 0; n < count; ++n) {
        const double* row = logs.data() + n * classes;
        double total = 0.0;
        for (std::size_t i = 0; i < classes; ++i) total += std::exp(row[i]);
        for (std::size_t i = 0; i < classes; ++i) {
            const float probability = found.probabilities[n * classes + i];
            CHECK(probability == Approx(std::exp(row[i]) / total).epsilon(1e-4).margin(1e-7));
            if (probability != plain.probabilities[n * classes + i]) ++differing;
        }
        loss += std::log(total) - row[data.test.labels[n]];
        correct += std::max_element(row, row + classes) - row == data.test.labels[n] ? 1 : 0;
    }
    CHECK(found.metrics.loss == Approx(loss / static_cast<double>(count)).epsilon(1e-5));
    CHECK(found.metrics.accuracy == correct / static_cast<double>(count));
    CHECK(found.metrics.count == data.test.count());
    CHECK(differing > static_cast<int>(logs.size() / 2));
}

TEST_CASE("views: they are of the test, validation sees each image as it is",
          "[trainer][evaluation]") {
    const Communicator self(MPI_COMM_SELF);
    RunConfig config = tiny_run(plain_layers());
    const Trained plain = train_tiny(config, self);
    config.data.test_views = TestViews::mirror_translate;
    const Trained viewed = train_tiny(config, self);
    CHECK(digest_of(viewed.outcome.weights) == digest_of(plain.outcome.weights));
    CHECK(bits_of(viewed.seen.epochs) == bits_of(plain.seen.epochs));
    // It validates on the test set: the last epoch's figures are those of the plain test.
    REQUIRE(plain.seen.epochs.back().validation);
    CHECK(bits_of(*viewed.seen.epochs.back().validation) == bits_of(plain.outcome.test));
    CHECK(viewed.outcome.test.loss != plain.outcome.test.loss);
    CHECK(viewed.outcome.test.count == plain.outcome.test.count);
    const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
    CHECK(bits_of(evaluate(config, viewed.outcome.weights, data, data.test, self,
                           TestViews::mirror_translate)
                      .metrics) == bits_of(viewed.outcome.test));
}
