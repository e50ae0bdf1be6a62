#include "trainer/augmentation/resampling.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "trainer/augmentation/neighbours.hpp"

namespace lockstep::trainer {

int filled_position(int at, int size, FillMode mode) {
    const auto is_inside = [size](int place) { return place >= 0 && place < size; };
    const auto modulo = [](int value, int period) { return ((value % period) + period) % period; };
    if (is_inside(at)) return at;
    switch (mode) {  // mostly it is the neighbouring copy of the image, which needs no division
        case FillMode::constant:
            return -1;
        case FillMode::nearest:
            return std::clamp(at, 0, size - 1);
        case FillMode::wrap: {
            const int next = at < 0 ? at + size : at - size;
            return is_inside(next) ? next : modulo(at, size);
        }
        case FillMode::reflect: {
            const int next = at < 0 ? -1 - at : 2 * size - 1 - at;
            if (is_inside(next)) return next;
            const int place = modulo(at, 2 * size);
            return place < size ? place : 2 * size - 1 - place;
        }
        case FillMode::mirror: {
            const int next = at < 0 ? -at : 2 * size - 2 - at;
            if (is_inside(next)) return next;
            if (size == 1) return 0;
            const int place = modulo(at, 2 * size - 2);
            return place < size ? place : 2 * size - 2 - place;
        }
    }
    return -1;
}

Affine translation(double down, double right) { return {.y0 = -down, .x0 = -right}; }

Affine rotation(double turn, const PlaneShape& shape) {
    const double angle = 2.0 * std::numbers::pi * turn;
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double y = (shape.height - 1) / 2.0, x = (shape.width - 1) / 2.0;
    return {.yy = cosine,
            .yx = sine,
            .y0 = y - cosine * y - sine * x,
            .xy = -sine,
            .xx = cosine,
            .x0 = x + sine * y - cosine * x};
}

Affine zoom(double height, double width, const PlaneShape& shape) {
    return {.yy = height,
            .y0 = (shape.height - 1) / 2.0 * (1.0 - height),
            .xx = width,
            .x0 = (shape.width - 1) / 2.0 * (1.0 - width)};
}

namespace {

template <int lanes>
using Channels = std::array<float, static_cast<std::size_t>(lanes)>;

template <int lanes>
Channels<lanes> pixel_at(const float* pixels, std::size_t number) {
    Channels<lanes> channels;
    std::copy_n(pixels + number * static_cast<std::size_t>(lanes), lanes, channels.data());
    return channels;
}

template <int lanes>
Channels<lanes> between(const Channels<lanes>& a, const Channels<lanes>& b, float weight) {
    Channels<lanes> sum;
    for (std::size_t c = 0; c < sum.size(); ++c) sum[c] = a[c] + (b[c] - a[c]) * weight;
    return sum;
}

// The numbers of the four pixels about a place, of which some are the fill value.
struct Corners {
    std::size_t top_left, top_right, bottom_left, bottom_right;
};

Corners corners_at(int row, int column, const PlaneShape& shape, FillMode mode) {
    const auto width = static_cast<std::size_t>(shape.width);
    if (row >= 0 && column >= 0 && row + 1 < shape.height && column + 1 < shape.width) {
        const std::size_t first =
            static_cast<std::size_t>(row) * width + static_cast<std::size_t>(column);
        return {first, first + 1, first + width, first + width + 1};
    }
    const int top = filled_position(row, shape.height, mode);
    const int bottom = filled_position(row + 1, shape.height, mode);
    const int left = filled_position(column, shape.width, mode);
    const int right = filled_position(column + 1, shape.width, mode);
    const auto number = [&](int y, int x) {
        return y < 0 || x < 0 ? shape.pixels()
                              : static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x);
    };
    return {number(top, left), number(top, right), number(bottom, left), number(bottom, right)};
}

constexpr int kLanes = 4;

}  // namespace

Resampler::Resampler(const PlaneShape& shape)
    : shape_(shape), pixels_((shape.pixels() + 1) * kLanes) {
    for (Neighbours* neighbours : {&rows_, &columns_}) {
        const std::size_t whole =
            (static_cast<std::size_t>(shape.width) + kNeighbours - 1) / kNeighbours * kNeighbours;
        neighbours->first.resize(whole);
        neighbours->weight.resize(whole);
    }
}

void Resampler::resample(const float* from, float* to, const Affine& affine, const Fill& fill) {
    for (int channel = 0; channel < shape_.channels; channel += kLanes) {
        const int channels = std::min(kLanes, shape_.channels - channel);
        const std::size_t first = static_cast<std::size_t>(channel) * shape_.pixels();
        if (channels == 1)
            resample_channels<1>(from + first, to + first, channels, affine, fill);
        else
            resample_channels<kLanes>(from + first, to + first, channels, affine, fill);
    }
}

template <int lanes>
void Resampler::resample_channels(const float* from, float* to, int channels, const Affine& affine,
                                  const Fill& fill) {
    const std::size_t plane = shape_.pixels();
    const auto width = static_cast<std::size_t>(shape_.width);
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
        for (std::size_t i = 0; i < plane; ++i) pixels_[i * lanes + c] = from[c * plane + i];
    std::fill_n(pixels_.data() + plane * lanes, lanes, static_cast<float>(fill.value));
    for (int y = 0; y < shape_.height; ++y, to += width) {
        find_neighbours(affine.yy * y, affine.yx, affine.y0, rows_.first, rows_.weight);
        find_neighbours(affine.xy * y, affine.xx, affine.x0, columns_.first, columns_.weight);
        for (std::size_t x = 0; x < width; ++x) {
            const Corners corners =
                corners_at(rows_.first[x], columns_.first[x], shape_, fill.mode);
            const auto across = [&](std::size_t left, std::size_t right) {
                return between<lanes>(pixel_at<lanes>(pixels_.data(), left),
                                      pixel_at<lanes>(pixels_.data(), right), columns_.weight[x]);
            };
            const Channels<lanes> value =
                between<lanes>(across(corners.top_left, corners.top_right),
                               across(corners.bottom_left, corners.bottom_right), rows_.weight[x]);
            for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c)
                to[c * plane + x] = value[c];
        }
    }
}

namespace {

float as_pixel(float value) { return std::clamp(value, 0.0F, 255.0F); }

}  // namespace

void brighten(float* image, const PlaneShape& shape, double part_of_255) {
    const auto added = static_cast<float>(part_of_255 * 255.0);
    for (std::size_t i = 0; i < shape.values(); ++i) image[i] = as_pixel(image[i] + added);
}

void change_contrast(float* image, const PlaneShape& shape, double factor) {
    const auto slope = static_cast<float>(factor);
    for (int c = 0; c < shape.channels; ++c, image += shape.pixels()) {
        double sum = 0.0;
        for (std::size_t i = 0; i < shape.pixels(); ++i) sum += static_cast<double>(image[i]);
        const auto mean = static_cast<float>(sum / static_cast<double>(shape.pixels()));
        for (std::size_t i = 0; i < shape.pixels(); ++i)
            image[i] = as_pixel((image[i] - mean) * slope + mean);
    }
}

}  // namespace lockstep::trainer
