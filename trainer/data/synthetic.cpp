#include "trainer/data/synthetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "trainer/data/cifar10.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/split_writer.hpp"
#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

namespace {

constexpr int kSide = 32;
constexpr std::size_t kPlane = kSide * kSide;
constexpr std::size_t kImage = 3 * kPlane;
constexpr std::uint32_t kClasses = 10;

using Colour = std::array<double, 3>;  // red, green, blue in 0..255

// The third word of the counter: what is drawn. The others: index, split, position.
enum class Draw : std::uint32_t { class_order = 0, scene = 1, noise = 2 };

class Source {
public:
    Source(std::uint64_t seed, SyntheticSplit split, std::uint32_t index)
        : key_(random_key(seed, Purpose::synthetic_image)), split_(split), index_(index) {}

    RandomWords words(Draw draw, std::uint32_t position) const {
        return random_words(key_, {index_, static_cast<std::uint32_t>(split_),
                                   static_cast<std::uint32_t>(draw), position});
    }

private:
    RandomKey key_;
    SyntheticSplit split_;
    std::uint32_t index_;
};

// The numbers of one scene, one after the other.
class SceneNumbers {
public:
    explicit SceneNumbers(const Source& source) : source_(source) {}

    double between(double low, double high) {
        const RandomWords words = source_.words(Draw::scene, position_++);
        return low + (high - low) * uniform_double(words[0], words[1]);
    }
    std::uint32_t below(std::uint32_t bound) {
        const RandomWords words = source_.words(Draw::scene, position_++);
        return uniform_below(bound, words[0], words[1]);
    }

private:
    const Source& source_;
    std::uint32_t position_ = 0;
};

enum class ShapeKind : std::uint32_t { disc, square, triangle, ring, cross };

struct Direction {
    double x;
    double y;
};

// A unit vector at the angle 2 atan(t) from the x axis, without a sine.
Direction direction_of(double t) {
    const double scale = 1.0 / (1.0 + t * t);
    return {(1.0 - t * t) * scale, 2.0 * t * scale};
}

struct Grating {
    Direction across;  // where the wave runs
    double frequency;  // waves a pixel
    double phase;      // waves
};

struct Figure {
    ShapeKind kind;
    double x, y;    // centre, pixels
    double radius;  // pixels
    Direction tilt;
    Grating stripes;
    Colour bright, dark;
    double contrast;  // 1 hides what is behind
};

struct Background {
    Colour middle;
    Colour slope_x, slope_y;  // a pixel
    Grating clutter;
    double clutter_contrast;
};

struct Light {
    double gain;
    double offset;
    double noise;  // deviation
};

struct Scene {
    Background background;
    Figure distractor;
    Figure figure;
    Light light;
};

// ---- drawing a scene's numbers -------------------------------------------------------------

Grating draw_grating(SceneNumbers& numbers, bool is_upright, double most_tilt) {
    const Direction d = direction_of(numbers.between(-most_tilt, most_tilt));
    return {is_upright ? d : Direction{-d.y, d.x}, 1.0 / numbers.between(4.5, 6.5),
            numbers.between(0.0, 1.0)};
}

Colour draw_colour(SceneNumbers& numbers, const Colour& around, double spread) {
    Colour colour = around;
    for (double& channel : colour) channel += numbers.between(-spread, spread);
    return colour;
}

Figure draw_figure(SceneNumbers& numbers, std::uint32_t label) {
    constexpr std::array<Colour, 5> kHues{
        {{215, 80, 70}, {205, 190, 60}, {70, 180, 80}, {70, 110, 215}, {190, 80, 190}}};
    constexpr double kOwnHueShare = 0.6;
    const bool has_own_hue = numbers.between(0.0, 1.0) < kOwnHueShare;
    const Colour& hue = kHues[has_own_hue ? label % 5 : numbers.below(5)];
    const bool is_upright = label % 2 == 1;
    Figure figure{};
    figure.kind = static_cast<ShapeKind>(label / 2);
    figure.radius = numbers.between(8.0, 12.0);
    figure.x = numbers.between(11.0, 21.0);
    figure.y = numbers.between(11.0, 21.0);
    figure.tilt = direction_of(numbers.between(-0.2, 0.2));
    figure.stripes = draw_grating(numbers, is_upright, 0.15);
    figure.bright = draw_colour(numbers, hue, 40.0);
    const double shade = numbers.between(0.15, 0.4);
    for (std::size_t c = 0; c < 3; ++c) figure.dark[c] = shade * figure.bright[c];
    figure.contrast = numbers.between(0.3, 1.0);
    return figure;
}

Background draw_background(SceneNumbers& numbers) {
    return {draw_colour(numbers, {120, 120, 120}, 35.0), draw_colour(numbers, {0, 0, 0}, 2.0),
            draw_colour(numbers, {0, 0, 0}, 2.0), draw_grating(numbers, numbers.below(2) == 1, 0.4),
            numbers.between(0.0, 15.0)};
}

Scene draw_scene(SceneNumbers& numbers, std::uint8_t label) {
    Scene scene{};
    scene.background = draw_background(numbers);
    // From 2 to 8 classes further on: another shape.
    scene.distractor = draw_figure(numbers, (label + 2 + numbers.below(7)) % kClasses);
    scene.distractor.radius *= 0.7;
    scene.distractor.contrast *= 0.3;
    scene.figure = draw_figure(numbers, label);
    scene.light = {numbers.between(0.6, 1.15), numbers.between(-30.0, 30.0),
                   numbers.between(4.0, 18.0)};
    return scene;
}

// ---- painting ------------------------------------------------------------------------------

// A triangle wave between 0 and 1.
double wave(const Grating& grating, double x, double y) {
    const double t =
        (x * grating.across.x + y * grating.across.y) * grating.frequency + grating.phase;
    return std::abs(2.0 * (t - std::floor(t)) - 1.0);
}

// How far outside of its outline a point is, in radii; u, v from the centre, in radii, upright.
double distance_outside(ShapeKind kind, double u, double v) {
    const double side = std::abs(u);
    switch (kind) {
        case ShapeKind::disc:
            return std::sqrt(u * u + v * v) - 0.92;
        case ShapeKind::square:
            return std::max(side, std::abs(v)) - 0.82;
        case ShapeKind::triangle:
            return std::max(0.866 * side - 0.5 * v, v) - 0.58;
        case ShapeKind::ring:
            return std::abs(std::sqrt(u * u + v * v) - 0.74) - 0.26;
        case ShapeKind::cross:
            return std::max(std::max(side, std::abs(v)) - 1.0, std::min(side, std::abs(v)) - 0.33);
    }
    return 1.0;
}

double coverage(const Figure& figure, double x, double y) {
    const double dx = (x - figure.x) / figure.radius;
    const double dy = (y - figure.y) / figure.radius;
    const double outside = distance_outside(figure.kind, dx * figure.tilt.x + dy * figure.tilt.y,
                                            dy * figure.tilt.x - dx * figure.tilt.y);
    return std::clamp(0.5 - outside * figure.radius, 0.0, 1.0);  // an edge one pixel wide
}

Colour paint_background(const Background& background, double x, double y) {
    const double clutter = (wave(background.clutter, x, y) - 0.5) * background.clutter_contrast;
    Colour colour{};
    for (std::size_t c = 0; c < 3; ++c)
        colour[c] = background.middle[c] + background.slope_x[c] * (x - 0.5 * kSide) +
                    background.slope_y[c] * (y - 0.5 * kSide) + clutter;
    return colour;
}

void paint_over(Colour& colour, const Figure& figure, double x, double y) {
    const double opacity = coverage(figure, x, y) * figure.contrast;
    if (opacity == 0.0) return;
    const double bright = wave(figure.stripes, x, y);
    for (std::size_t c = 0; c < 3; ++c) {
        const double paint = figure.dark[c] + bright * (figure.bright[c] - figure.dark[c]);
        colour[c] += opacity * (paint - colour[c]);
    }
}

// About normal, deviation 1: the sum of a word's four bytes.
double noise_of(std::uint32_t word) {
    const auto sum =
        static_cast<int>((word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + (word >> 24));
    constexpr double kDeviation = 147.8;  // of the sum: sqrt(4 (256^2 - 1) / 12)
    return (sum - 510) / kDeviation;
}

std::uint8_t to_byte(double value) {
    return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0));
}

std::uint8_t label_of(std::uint64_t seed, SyntheticSplit split, std::uint32_t index) {
    const Source source(seed, split, index / kClasses);
    std::array<std::uint8_t, kClasses> labels{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    for (std::uint32_t last = kClasses - 1; last > 0; --last) {
        const RandomWords words = source.words(Draw::class_order, last);
        std::swap(labels[last], labels[uniform_below(last + 1, words[0], words[1])]);
    }
    return labels[index % kClasses];
}

void paint(const Scene& scene, const Source& source, std::span<std::uint8_t> pixels) {
    for (std::size_t i = 0; i < kPlane; ++i) {
        const auto x = static_cast<double>(i % kSide) + 0.5;
        const auto y = static_cast<double>(i / kSide) + 0.5;
        Colour colour = paint_background(scene.background, x, y);
        paint_over(colour, scene.distractor, x, y);
        paint_over(colour, scene.figure, x, y);
        const RandomWords words = source.words(Draw::noise, static_cast<std::uint32_t>(i));
        for (std::size_t c = 0; c < 3; ++c) {
            const double lit = 128.0 + (colour[c] - 128.0) * scene.light.gain + scene.light.offset +
                               noise_of(words[c]) * scene.light.noise;
            pixels[c * kPlane + i] = to_byte(lit);
        }
    }
}

constexpr Shape kShape{.height = kSide, .width = kSide, .channels = 3};

ImageSet make_split(std::uint64_t seed, SyntheticSplit split, std::int64_t samples,
                    Sha256& digest) {
    SplitWriter images(samples, kShape, kClasses, digest);
    std::array<std::uint8_t, kImage> pixels{};
    for (std::int64_t i = 0; i < samples; ++i) {
        const Label label =
            draw_synthetic_image(seed, split, static_cast<std::uint32_t>(i), pixels);
        images.append(pixels, std::span(&label, 1));
    }
    return std::move(images).finish();
}

void check_samples(const char* key, std::int64_t samples) {
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    if (samples >= 1 && samples <= kMost) return;
    throw DataError(DataError::Kind::bad_request,
                    fmt::format("synthetic data: {} is {}, must be in 1..{}", key, samples, kMost));
}

}  // namespace

std::uint8_t draw_synthetic_image(std::uint64_t seed, SyntheticSplit split, std::uint32_t index,
                                  std::span<std::uint8_t> pixels) {
    const std::uint8_t label = label_of(seed, split, index);
    const Source source(seed, split, index);
    SceneNumbers numbers(source);
    paint(draw_scene(numbers, label), source, pixels);
    return label;
}

Dataset make_synthetic(std::int64_t training_samples, std::int64_t test_samples,
                       std::uint64_t seed) {
    check_samples("training_samples", training_samples);
    check_samples("test_samples", test_samples);
    Sha256 digest = begin_digest(training_samples, test_samples, kShape);
    return {"synthetic",
            kShape,
            cifar10_class_names(),
            make_split(seed, SyntheticSplit::training, training_samples, digest),
            make_split(seed, SyntheticSplit::test, test_samples, digest),
            digest.hex()};
}

namespace {

Dataset load(const DataConfig& config) {
    return make_synthetic(setting<std::int64_t>(config, "training_samples"),
                          setting<std::int64_t>(config, "test_samples"),
                          static_cast<std::uint64_t>(setting<std::int64_t>(config, "seed")));
}

DatasetTraits traits(const DataConfig& config) {
    return {kShape,
            cifar10_class_names(),
            setting<std::int64_t>(config, "training_samples"),
            setting<std::int64_t>(config, "test_samples"),
            "those of the synthetic set",
            ""};
}

}  // namespace

DatasetKind synthetic_kind() {
    return {
        .word = "synthetic",
        .settings = {{"training_samples", WholeSetting{10'000, 10, kMostSamples}},
                     {"test_samples", WholeSetting{2'000, 10, kMostSamples}},
                     {"seed", WholeSetting{1, 0, std::numeric_limits<std::int64_t>::max()}}},
        .has_files = false,
        .load = load,
        .require = [](const DataConfig&) {},
        .traits = traits,
        .nominal_traits = traits,
    };
}

}  // namespace lockstep::trainer
