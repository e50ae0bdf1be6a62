#pragma once

// Views of test images: evaluation may look at an image several times, moved, and take the mean of
// the logits. The six views and their weights are those of [1].
//
// [1] K. Jordan: 94% on CIFAR-10 in 3.29 seconds on a single GPU. 2024. arXiv:2404.00498

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/augmentation/planes.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/kernels/layout.hpp"

namespace lockstep::trainer {

struct View {
    int shift = 0;             // pixels down and as many to the right, before it is mirrored
    bool is_mirrored = false;  // left to right
    double weight = 1.0;       // of its logits in their mean
};

// The image as it is comes first. Weights are powers of two, and sum to 1.
//   image              1
//   mirror             1/2, 1/2
//   mirror_translate   1/4 each for the image and its mirror, 1/8 each for those moved by a pixel
std::span<const View> views_of(TestViews views);

// Writes views as a network's input.
class ViewInput {
public:
    explicit ViewInput(const Shape& image);

    // As write_input(), with the images as `view` shows them. What stands where a moved image has
    // no pixel: its second row and column from the border, as FillMode::mirror says.
    void write(const SampleSet& samples, std::span<const std::uint32_t> which, const View& view,
               const PixelScale& scale, const Layout& layout, float* input);

private:
    PlaneShape shape_;
    std::vector<std::uint8_t> image_;  // the one under way
};

}  // namespace lockstep::trainer
