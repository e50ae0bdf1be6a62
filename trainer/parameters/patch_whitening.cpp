#include "trainer/parameters/patch_whitening.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "trainer/parameters/symmetric_eigen.hpp"

namespace lockstep::trainer {

namespace {

// Sums over all patches, of the pixels as bytes.
struct PatchSums {
    std::vector<std::int64_t> values;    // [n]
    std::vector<std::int64_t> products;  // [n][n], the upper half
    std::int64_t patches = 0;
};

// Where the patches lie in an image; a patch's values in the order of a kernel: row, column,
// channel.
class Patches {
public:
    Patches(const Shape& image, std::array<int, 2> kernel_size)
        : image_(image),
          rows_(image.height - kernel_size[0] + 1),
          columns_(image.width - kernel_size[1] + 1) {
        for (int y = 0; y < kernel_size[0]; ++y)
            for (int x = 0; x < kernel_size[1]; ++x)
                for (int channel = 0; channel < image.channels; ++channel)
                    offsets_.push_back((channel * image.height + y) * image.width + x);
    }

    std::size_t values() const { return offsets_.size(); }
    int channel_of(std::size_t value) const { return static_cast<int>(value) % image_.channels; }

    void add(const std::uint8_t* image, PatchSums& sums) const {
        const std::size_t n = values();
        for (std::size_t a = 0; a < n; ++a) {
            sums.values[a] += sum_of(image + offsets_[a]);
            for (std::size_t b = a; b < n; ++b)
                sums.products[a * n + b] += product_of(image + offsets_[a], image + offsets_[b]);
        }
        sums.patches += std::int64_t{rows_} * columns_;
    }

private:
    std::int64_t sum_of(const std::uint8_t* pixels) const {
        std::int64_t sum = 0;
        for (int y = 0; y < rows_; ++y, pixels += image_.width) {
            std::uint32_t of_row = 0;
            for (int x = 0; x < columns_; ++x) of_row += pixels[x];
            sum += of_row;
        }
        return sum;
    }
    // A row of at most 2^16 products of bytes fits 32 bits.
    std::int64_t product_of(const std::uint8_t* a, const std::uint8_t* b) const {
        std::int64_t sum = 0;
        for (int y = 0; y < rows_; ++y, a += image_.width, b += image_.width) {
            std::uint32_t of_row = 0;
            for (int x = 0; x < columns_; ++x)
                of_row += static_cast<std::uint32_t>(a[x]) * static_cast<std::uint32_t>(b[x]);
            sum += of_row;
        }
        return sum;
    }

    Shape image_;
    int rows_, columns_;
    std::vector<int> offsets_;  // of a patch's values behind its first pixel
};

PatchSums sums_of(const Patches& patches, const SampleSet& training, std::size_t images,
                  std::size_t image_size) {
    const std::size_t n = patches.values();
    PatchSums sums{std::vector<std::int64_t>(n), std::vector<std::int64_t>(n * n)};
    for (std::size_t i = 0; i < images; ++i) patches.add(training.pixels_of(i, image_size), sums);
    return sums;
}

// The mean of x x^T, of scaled pixels x = (byte - offset) / divisor.
std::vector<double> second_moments(const Patches& patches, const PatchSums& sums,
                                   const PixelScale& scale) {
    const std::size_t n = patches.values();
    const auto count = static_cast<double>(sums.patches);
    std::vector<double> moments(n * n);
    for (std::size_t a = 0; a < n; ++a)
        for (std::size_t b = a; b < n; ++b) {
            const auto of = [&](const std::vector<float>& of_channels, std::size_t value) {
                return static_cast<double>(
                    of_channels[static_cast<std::size_t>(patches.channel_of(value))]);
            };
            const double offset_a = of(scale.offset, a), offset_b = of(scale.offset, b);
            const double mean = static_cast<double>(sums.products[a * n + b]) / count -
                                offset_a * (static_cast<double>(sums.values[b]) / count) -
                                offset_b * (static_cast<double>(sums.values[a]) / count) +
                                offset_a * offset_b;
            moments[a * n + b] = moments[b * n + a] =
                mean / (of(scale.divisor, a) * of(scale.divisor, b));
        }
    return moments;
}

}  // namespace

std::vector<float> patch_whitening_kernel(const InitializerConfig& initializer,
                                          const SampleSet& training, const PixelScale& scale,
                                          const Shape& image, std::array<int, 2> kernel_size) {
    const Patches patches(image, kernel_size);
    const auto images = std::min(static_cast<std::size_t>(initializer.images),
                                 static_cast<std::size_t>(training.count()));
    const PatchSums sums =
        sums_of(patches, training, images, static_cast<std::size_t>(image.size()));
    const std::size_t n = patches.values();
    const SymmetricEigen eigen = symmetric_eigen(second_moments(patches, sums, scale), n);
    std::vector<float> kernel(n * 2 * n);
    for (std::size_t filter = 0; filter < n; ++filter) {
        const double size = std::sqrt(std::max(eigen.values[filter], 0.0) + initializer.epsilon);
        for (std::size_t value = 0; value < n; ++value) {
            const auto weight = static_cast<float>(eigen.vectors[filter * n + value] / size);
            kernel[value * 2 * n + filter] = weight;
            kernel[value * 2 * n + n + filter] = -weight;
        }
    }
    return kernel;
}

}  // namespace lockstep::trainer
