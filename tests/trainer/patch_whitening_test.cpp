// Eigenvectors by their definition, and kernels by what they make of the patches of images: white.
#include "trainer/parameters/patch_whitening.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/support/tiny_training.hpp"
#include "trainer/data/pixel_scale.hpp"
#include "trainer/parameters/initializers.hpp"
#include "trainer/parameters/symmetric_eigen.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Matrix = std::vector<double>;  // [n][n]

double dot(const double* a, const double* b, std::size_t n) {
    double sum = 0.0;
    for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
    return sum;
}

void check_eigen(const Matrix& matrix, std::size_t n) {
    const SymmetricEigen eigen = symmetric_eigen(matrix, n);
    REQUIRE(eigen.values.size() == n);
    REQUIRE(eigen.vectors.size() == n * n);
    double size = 0.0;
    for (const double element : matrix) size = std::max(size, std::abs(element));
    CHECK(std::ranges::is_sorted(eigen.values, std::greater()));
    for (std::size_t i = 0; i < n; ++i) {
        const double* vector = eigen.vectors.data() + i * n;
        for (std::size_t j = 0; j < n; ++j)
            CHECK(dot(vector, eigen.vectors.data() + j * n, n) ==
                  Approx(i == j ? 1.0 : 0.0).margin(1e-13));
        for (std::size_t row = 0; row < n; ++row)
            CHECK(dot(matrix.data() + row * n, vector, n) ==
                  Approx(eigen.values[i] * vector[row])
                      .margin(1e-13 * size * static_cast<double>(n)));
        const auto [least, most] = std::minmax_element(vector, vector + n);
        CHECK(*most >= -*least);
    }
}

Matrix random_symmetric(std::size_t n, std::uint64_t seed) {
    RandomValues random(seed);
    Matrix matrix(n * n);
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t j = 0; j <= i; ++j)
            matrix[i * n + j] = matrix[j * n + i] =
                static_cast<double>(random.floats(1, -1.0, 1.0).front());
    return matrix;
}

// Of the patches of the first images, as a network sees their pixels; pixel by pixel.
Matrix second_moments(const RunData& data, std::size_t images, std::array<int, 2> size) {
    const Shape& shape = data.shape;
    const auto n = static_cast<std::size_t>(size[0] * size[1] * shape.channels);
    Matrix moments(n * n);
    double patches = 0.0;
    for (std::size_t image = 0; image < images; ++image) {
        const std::uint8_t* pixels =
            data.training.pixels_of(image, static_cast<std::size_t>(shape.size()));
        for (int top = 0; top + size[0] <= shape.height; ++top)
            for (int left = 0; left + size[1] <= shape.width; ++left) {
                std::vector<double> patch;
                for (int y = top; y < top + size[0]; ++y)
                    for (int x = left; x < left + size[1]; ++x)
                        for (int c = 0; c < shape.channels; ++c) {
                            const auto channel = static_cast<std::size_t>(c);
                            const int place = (c * shape.height + y) * shape.width + x;
                            patch.push_back((static_cast<double>(pixels[place]) -
                                             static_cast<double>(data.scale.offset[channel])) /
                                            static_cast<double>(data.scale.divisor[channel]));
                        }
                for (std::size_t a = 0; a < n; ++a)
                    for (std::size_t b = 0; b < n; ++b) moments[a * n + b] += patch[a] * patch[b];
                patches += 1.0;
            }
    }
    for (double& moment : moments) moment /= patches;
    return moments;
}

// Filters as rows of doubles.
Matrix rows_of(const std::vector<float>& kernel, std::size_t n) {
    Matrix rows(2 * n * n);
    for (std::size_t filter = 0; filter < 2 * n; ++filter)
        for (std::size_t value = 0; value < n; ++value)
            rows[filter * n + value] = static_cast<double>(kernel[value * 2 * n + filter]);
    return rows;
}

void check_whitens(const Matrix& filters, const Matrix& moments, std::size_t n, double epsilon) {
    double last_norm = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const double* filter = filters.data() + i * n;
        std::vector<double> image(n);
        for (std::size_t row = 0; row < n; ++row)
            image[row] = dot(moments.data() + row * n, filter, n);
        // l / (l + epsilon), where the filter's squared length is 1 / (l + epsilon).
        const double norm = dot(filter, filter, n);
        CHECK(dot(image.data(), filter, n) == Approx(1.0 - epsilon * norm).margin(2e-5));
        for (std::size_t j = 0; j < n; ++j)
            if (j != i)
                CHECK(dot(image.data(), filters.data() + j * n, n) == Approx(0.0).margin(2e-5));
        CHECK(norm > last_norm * (1.0 - 1e-6));  // the largest eigenvalue first
        last_norm = norm;
        for (std::size_t value = 0; value < n; ++value)
            CHECK(filters[(n + i) * n + value] == -filter[value]);
    }
}

}  // namespace

TEST_CASE("eigenvectors of symmetric matrices", "[trainer][eigen]") {
    for (const std::size_t n : {1U, 2U, 3U, 12U, 40U}) {
        CAPTURE(n);
        check_eigen(random_symmetric(n, n), n);
        check_eigen(Matrix(n * n, 0.0), n);
        check_eigen(Matrix(n * n, 1.0), n);  // one eigenvalue n, all others 0
        Matrix unit(n * n, 0.0);
        for (std::size_t i = 0; i < n; ++i) unit[i * n + i] = 1.0;
        check_eigen(unit, n);
        unit[0] = 1e-200;
        unit[n * n - 1] = 1e200;
        check_eigen(unit, n);
    }
    const SymmetricEigen two = symmetric_eigen({2.0, -1.0, -1.0, 2.0}, 2);
    CHECK(two.values[0] == Approx(3.0).epsilon(1e-15));
    CHECK(two.values[1] == Approx(1.0).epsilon(1e-15));
    CHECK(two.vectors[0] == Approx(-two.vectors[1]).epsilon(1e-15));
    CHECK(two.vectors[2] == Approx(std::sqrt(0.5)).epsilon(1e-15));
    CHECK(two.vectors[3] == Approx(std::sqrt(0.5)).epsilon(1e-15));
}

TEST_CASE("a kernel of the training images makes their patches white", "[trainer][initializer]") {
    for (const Scale scale : {Scale::unit, Scale::standard})
        for (const int channels : {1, 3})
            for (const std::array<int, 2> size :
                 {std::array{2, 2}, std::array{1, 3}, std::array{3, 2}, std::array{1, 1}}) {
                CAPTURE(channels, size[0], size[1]);
                DataConfig config;
                config.scale = scale;
                const RunData data = select_samples(
                    make_tiny_dataset({.shape = {7, 9, channels, false}}), config, 1);
                const auto n = static_cast<std::size_t>(size[0] * size[1] * channels);
                InitializerConfig initializer(Initializer::patch_whitening);
                for (const double images : {5.0, 1e6}) {  // 45 there are
                    initializer.images = images;
                    const auto kernel = patch_whitening_kernel(initializer, data.training,
                                                               data.scale, data.shape, size);
                    const auto used = images < 45.0 ? std::size_t{5} : std::size_t{45};
                    check_whitens(rows_of(kernel, n), second_moments(data, used, size), n, 5e-4);
                }
            }
}

TEST_CASE("white pixels and constant images have kernels, too", "[trainer][initializer]") {
    const Shape shape{4, 4, 2, false};
    const ImageSet images{PixelArray(std::vector<std::uint8_t>(64, 255)), {0, 0}};
    const SampleSet samples{&images, {0, 1}, {0, 0}};
    const PixelScale raw{{0.0F, 0.0F}, {1.0F, 1.0F}};
    const auto kernel =
        patch_whitening_kernel(Initializer::patch_whitening, samples, raw, shape, {2, 2});
    Matrix moments(64, 255.0 * 255.0);
    const Matrix filters = rows_of(kernel, 8);
    CHECK(dot(filters.data(), filters.data(), 8) == Approx(1.0 / (8 * 255.0 * 255.0)));
    for (std::size_t filter = 1; filter < 8; ++filter)
        CHECK(dot(filters.data() + 8 * filter, filters.data() + 8 * filter, 8) ==
              Approx(1.0 / 5e-4).epsilon(1e-5));
    CHECK(patch_whitening_kernel(Initializer::patch_whitening, samples, raw, shape, {2, 2}) ==
          kernel);
}

TEST_CASE("only kernels of images wait for them", "[trainer][initializer]") {
    RunConfig config = whitened_run();
    const RunData data = select_samples(make_tiny_dataset(), config.data, 1);
    const Architecture architecture = infer_shapes(config.layers, data.shape, 4);
    const NamedTensors without = initial_weights(architecture, 1);
    const NamedTensors with = initial_weights(architecture, 1, data);
    REQUIRE(with.size() == without.size());
    CHECK(std::ranges::all_of(without[0].values, [](float value) { return value == 0.0F; }));
    CHECK(with[0].values == patch_whitening_kernel(architecture.layers[0].parameters[0].initializer,
                                                   data.training, data.scale, data.shape, {2, 2}));
    for (std::size_t i = 1; i < with.size(); ++i) CHECK(with[i] == without[i]);
}
