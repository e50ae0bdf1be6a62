#pragma once

// Training images with random changes: a pure function of (seed, epoch, number in the data set),
// so that no rank, batch or resume can change what a network sees. What mixup makes of an image is
// one of the list of training samples, too.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/augmentation/mixup.hpp"
#include "trainer/augmentation/resampling.hpp"
#include "trainer/config/shape.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

// Planes of pixels, 0..255: bytes where pixels were only moved, else float32. The other is null.
struct AugmentedImage {
    const std::uint8_t* bytes = nullptr;
    const float* values = nullptr;
    Mix mix{};  // of a sample where there is a mixup, else all its own

    // use(planes), of either.
    template <class Use>
    void visit(Use use) const {
        if (bytes != nullptr)
            use(bytes);
        else
            use(values);
    }
};

class Augmentation {
public:
    //   changes   in the order in which they are made, at most one mixup among them; the kind and
    //             place of one fix what it draws
    Augmentation(std::span<const AugmentationConfig> changes, const Shape& image,
                 std::uint64_t seed);

    bool is_empty() const { return changes_.empty(); }
    std::size_t image_size() const { return shape_.values(); }  // pixels of all channels
    // Sample number `sample`, mixed with its partner where there is a mixup: both as the changes in
    // front of it make them, each by its own draws; what is behind it changes the sum. Valid until
    // the next call. Allocates nothing.
    //   epoch   from 1, as training counts them
    AugmentedImage of(const SampleSet& samples, std::uint32_t sample, int epoch);
    bool mixes() const { return mixup_.has_value(); }
    // Where there is a mixup: what of(samples, sample, epoch) mixes.
    Mix mix_of(const SampleSet& samples, std::uint32_t sample, int epoch) const;
    // One image by itself, without mixup.
    //   image   bytes, [channels][height][width]
    //   index   its number in the data set
    AugmentedImage of(const std::uint8_t* image, int epoch, std::uint32_t index);

private:
    // The image so far, in one of two buffers of bytes or of values.
    template <class Pixel>
    struct Buffers {
        std::vector<Pixel> now, next;
    };
    struct Draw;
    // Makes the changes from number `first` on, up to `end`.
    void change_all(std::size_t first, std::size_t end, int epoch, std::uint32_t index);
    void begin(const std::uint8_t* image);
    AugmentedImage result() const;
    void change(const AugmentationConfig& change, const Draw& draw);
    template <class Pixel>
    void move_pixels(const AugmentationConfig& change, const Draw& draw, Buffers<Pixel>& buffers);
    void change_values(const AugmentationConfig& change, const Draw& draw);
    void to_values();

    std::vector<AugmentationConfig> changes_;
    std::optional<std::size_t> mixup_;  // its place among the changes
    PlaneShape shape_;
    RandomKey key_;
    bool has_values_ = false;  // of the image under way
    Buffers<std::uint8_t> bytes_;
    Buffers<float> values_;
    std::vector<float> partner_;
    std::optional<Resampler> resampler_;  // where there is a change
};

}  // namespace lockstep::trainer
