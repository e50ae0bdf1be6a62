#pragma once

// Random changes of training images, as plain settings. Names and meanings are those of Keras'
// preprocessing layers; factors are drawn uniformly between `low` and `high`.

#include <variant>
#include <vector>

namespace lockstep::trainer {

// What stands where a changed image has no pixel, of a row a b c d:
enum class FillMode {
    constant,  // k k k k | a b c d | k k k k   of fill_value
    nearest,   // a a a a | a b c d | d d d d
    reflect,   // d c b a | a b c d | d c b a
    mirror,    //   d c b | a b c d | c b a     the border once, as torchvision's "reflect"
    wrap,      // a b c d | a b c d | a b c d
};
struct Fill {
    FillMode mode = FillMode::reflect;
    double value = 0.0;  // as pixels, 0..255
};

struct FactorRange {
    double low = 0.0;
    double high = 0.0;
};

// `alternating`: horizontally in every second epoch, which of them is drawn once for each image.
enum class FlipMode { horizontal, vertical, horizontal_and_vertical, alternating };

struct RandomFlipConfig {
    FlipMode mode = FlipMode::horizontal_and_vertical;
};
// The image with `padding` pixels around it, cut to its size at a place that is drawn.
struct RandomCropConfig {
    int padding = 0;
    Fill fill{FillMode::constant, 0.0};
};
// By a part of the height and of the width; down and to the right where positive.
struct RandomTranslationConfig {
    FactorRange height, width;
    Fill fill;
};
// By a part of a full turn, counterclockwise where positive.
struct RandomRotationConfig {
    FactorRange factor;
    Fill fill;
};
// Out where positive, in where negative, about the centre; one draw for both axes without `width`.
struct RandomZoomConfig {
    FactorRange height, width;
    bool keeps_aspect = true;
    Fill fill;
};
// Adds a part of 255.
struct RandomBrightnessConfig {
    FactorRange factor;
};
// (pixel - mean of the channel) x factor + mean.
struct RandomContrastConfig {
    FactorRange factor;  // around 1
};
// A square of `size` pixels about a centre that is drawn, as far as it lies in the image [1].
//
// [1] T. DeVries, G. Taylor: Improved regularization of convolutional neural networks with cutout.
//     2017. arXiv:1708.04552
struct CutoutConfig {
    int size = 0;
    double fill_value = 0.0;
};

// Weighted sums of two images and of their labels, by weights from Beta(alpha, alpha) [2].
//
// [2] H. Zhang, M. Cisse, Y. Dauphin, D. Lopez-Paz: mixup: beyond empirical risk minimization.
//     ICLR 2018. arXiv:1710.09412
struct MixupConfig {
    double alpha = 0.2;
};

using AugmentationConfig =
    std::variant<RandomFlipConfig, RandomCropConfig, RandomTranslationConfig, RandomRotationConfig,
                 RandomZoomConfig, RandomBrightnessConfig, RandomContrastConfig, CutoutConfig,
                 MixupConfig>;

}  // namespace lockstep::trainer
