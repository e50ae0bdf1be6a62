#pragma once

// Training images with random changes: a pure function of (seed, epoch, number in the data set),
// so that no rank, batch or resume can change what a network sees.

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/augmentation/planes.hpp"
#include "trainer/config/shape.hpp"
#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

// Planes of pixels, 0..255: bytes where pixels were only moved, else float32. The other is null.
struct AugmentedImage {
    const std::uint8_t* bytes = nullptr;
    const float* values = nullptr;

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
    //   changes   in the order in which they are made; the kind and place of one fix what it draws
    Augmentation(std::span<const AugmentationConfig> changes, const Shape& image,
                 std::uint64_t seed);

    bool is_empty() const { return changes_.empty(); }
    std::size_t image_size() const { return shape_.values(); }  // pixels of all channels
    // Valid until the next call. Allocates nothing.
    //   image   bytes, [channels][height][width]
    //   epoch   from 1, as training counts them
    AugmentedImage of(const std::uint8_t* image, int epoch, std::uint32_t index);

private:
    // The image so far, in one of two buffers of bytes or of values.
    template <class Pixel>
    struct Buffers {
        std::vector<Pixel> now, next;
    };
    struct Draw;
    void change(const AugmentationConfig& change, const Draw& draw);
    template <class Pixel>
    void move_pixels(const AugmentationConfig& change, const Draw& draw, Buffers<Pixel>& buffers);
    void change_values(const AugmentationConfig& change, const Draw& draw);
    void to_values();

    std::vector<AugmentationConfig> changes_;
    PlaneShape shape_;
    RandomKey key_;
    bool has_values_ = false;  // of the image under way
    Buffers<std::uint8_t> bytes_;
    Buffers<float> values_;
};

}  // namespace lockstep::trainer
