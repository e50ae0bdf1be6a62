#include "trainer/augmentation/augmentation.hpp"

#include <algorithm>
#include <variant>

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
    resampler_.emplace(shape_);
    for (auto* buffer : {&bytes_.now, &bytes_.next}) buffer->resize(shape_.values());
    for (auto* buffer : {&values_.now, &values_.next}) buffer->resize(shape_.values());
    const auto mixup = std::ranges::find_if(changes_, [](const AugmentationConfig& change) {
        return std::holds_alternative<MixupConfig>(change);
    });
    if (mixup == changes_.end()) return;
    mixup_ = static_cast<std::size_t>(mixup - changes_.begin());
    partner_.resize(shape_.values());
}

AugmentedImage Augmentation::of(const std::uint8_t* image, int epoch, std::uint32_t index) {
    begin(image);
    change_all(0, changes_.size(), epoch, index);
    return result();
}

Mix Augmentation::mix_of(const SampleSet& samples, std::uint32_t sample, int epoch) const {
    return draw_mix(std::get<MixupConfig>(changes_[*mixup_]).alpha, key_,
                    {static_cast<std::uint32_t>(epoch), samples.indices[sample],
                     static_cast<std::uint32_t>(*mixup_), 0},
                    static_cast<std::uint32_t>(samples.count()));
}

AugmentedImage Augmentation::of(const SampleSet& samples, std::uint32_t sample, int epoch) {
    const auto pixels_of = [&](std::uint32_t one) {
        return samples.pixels_of(one, shape_.values());
    };
    if (!mixup_) return of(pixels_of(sample), epoch, samples.indices[sample]);
    const Mix mix = mix_of(samples, sample, epoch);
    begin(pixels_of(mix.partner));
    change_all(0, *mixup_, epoch, samples.indices[mix.partner]);
    to_values();
    std::swap(values_.now, partner_);
    begin(pixels_of(sample));
    change_all(0, *mixup_, epoch, samples.indices[sample]);
    to_values();
    for (std::size_t i = 0; i < partner_.size(); ++i)
        values_.now[i] = mix.weight * values_.now[i] + (1.0F - mix.weight) * partner_[i];
    change_all(*mixup_ + 1, changes_.size(), epoch, samples.indices[sample]);
    AugmentedImage mixed = result();
    mixed.mix = mix;
    return mixed;
}

void Augmentation::begin(const std::uint8_t* image) {
    std::copy_n(image, shape_.values(), bytes_.now.data());
    has_values_ = false;
}

AugmentedImage Augmentation::result() const {
    return has_values_ ? AugmentedImage{.values = values_.now.data()}
                       : AugmentedImage{.bytes = bytes_.now.data()};
}

void Augmentation::change_all(std::size_t first, std::size_t end, int epoch, std::uint32_t index) {
    for (auto i = static_cast<std::uint32_t>(first); i < end; ++i) {
        // There is no epoch 0.
        change(changes_[i],
               {.words = random_words(key_, {static_cast<std::uint32_t>(epoch), index, i, 0}),
                .fixed = random_words(key_, {0, index, i, 0}),
                .epoch = epoch});
    }
}

namespace {

bool moves_whole_pixels(const AugmentationConfig& change) {
    return std::holds_alternative<RandomFlipConfig>(change) ||
           std::holds_alternative<RandomCropConfig>(change) ||
           std::holds_alternative<CutoutConfig>(change);
}

}  // namespace

void Augmentation::change(const AugmentationConfig& change, const Draw& draw) {
    if (std::holds_alternative<MixupConfig>(change)) return;
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
    resampler_->resample(image, values_.next.data(), affine, *fill);
    std::swap(values_.now, values_.next);
}

}  // namespace lockstep::trainer
