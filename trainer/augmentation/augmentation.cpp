#include "trainer/augmentation/augmentation.hpp"

#include <algorithm>
#include <variant>

#include "trainer/augmentation/resampling.hpp"

namespace lockstep::trainer {

// What one change of one image draws.
struct Augmentation::Draw {
    RandomWords words;  // of the epoch
    RandomWords fixed;  // the same in every epoch
    int epoch;

    bool coin(std::size_t word) const { return words[word] >> 31 != 0; }
    double factor(const FactorRange& range, std::size_t word) const {
        return range.low +
               (range.high - range.low) * static_cast<double>(uniform_float(words[word]));
    }
    // In 0 .. count - 1, from words 2 i and 2 i + 1.
    int below(int count, std::size_t i) const {
        return static_cast<int>(
            uniform_below(static_cast<std::uint32_t>(count), words[2 * i], words[2 * i + 1]));
    }
};

Augmentation::Augmentation(std::span<const AugmentationConfig> changes, const Shape& image,
                           std::uint64_t seed)
    : changes_(changes.begin(), changes.end()),
      shape_{image.height, image.width, image.channels},
      key_(random_key(seed, Purpose::augmentation)) {
    if (is_empty()) return;
    for (auto* buffer : {&bytes_.now, &bytes_.next}) buffer->resize(shape_.values());
    for (auto* buffer : {&values_.now, &values_.next}) buffer->resize(shape_.values());
}

AugmentedImage Augmentation::of(const std::uint8_t* image, int epoch, std::uint32_t index) {
    std::copy_n(image, shape_.values(), bytes_.now.data());
    has_values_ = false;
    for (std::uint32_t i = 0; i < changes_.size(); ++i) {
        // There is no epoch 0.
        change(changes_[i],
               {.words = random_words(key_, {static_cast<std::uint32_t>(epoch), index, i, 0}),
                .fixed = random_words(key_, {0, index, i, 0}),
                .epoch = epoch});
    }
    return has_values_ ? AugmentedImage{nullptr, values_.now.data()}
                       : AugmentedImage{bytes_.now.data(), nullptr};
}

namespace {

bool moves_whole_pixels(const AugmentationConfig& change) {
    return std::holds_alternative<RandomFlipConfig>(change) ||
           std::holds_alternative<RandomCropConfig>(change) ||
           std::holds_alternative<CutoutConfig>(change);
}

}  // namespace

void Augmentation::change(const AugmentationConfig& change, const Draw& draw) {
    if (!moves_whole_pixels(change)) {
        to_values();
        change_values(change, draw);
    } else if (has_values_) {
        move_pixels(change, draw, values_);
    } else {
        move_pixels(change, draw, bytes_);
    }
}

template <class Pixel>
void Augmentation::move_pixels(const AugmentationConfig& change, const Draw& draw,
                               Buffers<Pixel>& buffers) {
    if (const auto* config = std::get_if<RandomFlipConfig>(&change)) {
        const FlipMode mode = config->mode;
        const bool alternates = mode == FlipMode::alternating;
        const bool is_turn = ((draw.fixed[0] >> 31) + static_cast<std::uint32_t>(draw.epoch)) % 2;
        flip(buffers.now.data(), shape_,
             alternates ? is_turn : mode != FlipMode::vertical && draw.coin(0),
             !alternates && mode != FlipMode::horizontal && draw.coin(1));
    } else if (const auto* crop = std::get_if<RandomCropConfig>(&change)) {
        const int places = 2 * crop->padding + 1;
        shift(buffers.now.data(), buffers.next.data(), shape_,
              draw.below(places, 0) - crop->padding, draw.below(places, 1) - crop->padding,
              crop->fill);
        std::swap(buffers.now, buffers.next);
    } else if (const auto* cutout = std::get_if<CutoutConfig>(&change)) {
        cut_out(buffers.now.data(), shape_, draw.below(shape_.height, 0),
                draw.below(shape_.width, 1), cutout->size, cutout->fill_value);
    }
}

void Augmentation::to_values() {
    if (has_values_) return;
    std::copy(bytes_.now.begin(), bytes_.now.end(), values_.now.begin());
    has_values_ = true;
}

void Augmentation::change_values(const AugmentationConfig& change, const Draw& draw) {
    float* image = values_.now.data();
    if (const auto* brightness = std::get_if<RandomBrightnessConfig>(&change))
        return brighten(image, shape_, draw.factor(brightness->factor, 0));
    if (const auto* contrast = std::get_if<RandomContrastConfig>(&change))
        return change_contrast(image, shape_, draw.factor(contrast->factor, 0));
    Affine affine;
    const Fill* fill = nullptr;
    if (const auto* moved = std::get_if<RandomTranslationConfig>(&change)) {
        affine = translation(draw.factor(moved->height, 0) * shape_.height,
                             draw.factor(moved->width, 1) * shape_.width);
        fill = &moved->fill;
    } else if (const auto* rotated = std::get_if<RandomRotationConfig>(&change)) {
        affine = rotation(draw.factor(rotated->factor, 0), shape_);
        fill = &rotated->fill;
    } else {
        const auto& zoomed = std::get<RandomZoomConfig>(change);
        const double height = 1.0 + draw.factor(zoomed.height, 0);
        affine =
            zoom(height, zoomed.keeps_aspect ? height : 1.0 + draw.factor(zoomed.width, 1), shape_);
        fill = &zoomed.fill;
    }
    resample(image, values_.next.data(), shape_, affine, *fill);
    std::swap(values_.now, values_.next);
}

}  // namespace lockstep::trainer
