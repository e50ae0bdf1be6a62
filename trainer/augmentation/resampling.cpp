#include "trainer/augmentation/resampling.hpp"

#include <cmath>
#include <numbers>

namespace lockstep::trainer {

int filled_position(int at, int size, FillMode mode) {
    if (at >= 0 && at < size) return at;
    const auto modulo = [](int value, int period) { return ((value % period) + period) % period; };
    switch (mode) {
        case FillMode::constant:
            return -1;
        case FillMode::nearest:
            return std::clamp(at, 0, size - 1);
        case FillMode::wrap:
            return modulo(at, size);
        case FillMode::reflect: {
            const int place = modulo(at, 2 * size);
            return place < size ? place : 2 * size - 1 - place;
        }
        case FillMode::mirror: {
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

// Far outside is as good as further out, and fits an int.
constexpr double kFarthest = 1e6;

// The pixels in front of and behind a place on an axis, and the weight of the second.
struct Neighbours {
    int first, second;  // -1: the fill value
    float weight;

    Neighbours(double at, int size, FillMode mode) {
        const double place = std::clamp(at, -kFarthest, kFarthest);
        first = static_cast<int>(place);
        if (first > place) --first;  // std::floor() is a call without SSE4.1
        weight = static_cast<float>(place - first);
        second = first + 1;
        if (first >= 0 && second < size) return;
        first = filled_position(first, size, mode);
        second = filled_position(second, size, mode);
    }
    bool is_inside() const { return first >= 0 && second >= 0; }
};

float between(float a, float b, float weight) { return a + (b - a) * weight; }

// One pixel of one channel; both neighbours of both axes lie in the image.
float interpolated(const float* plane, std::size_t width, const Neighbours& rows,
                   const Neighbours& columns) {
    const float* top = plane + static_cast<std::size_t>(rows.first) * width;
    const float* bottom = plane + static_cast<std::size_t>(rows.second) * width;
    return between(between(top[columns.first], top[columns.second], columns.weight),
                   between(bottom[columns.first], bottom[columns.second], columns.weight),
                   rows.weight);
}

// The same where some of them may be the fill value.
float interpolated(const float* plane, std::size_t width, const Neighbours& rows,
                   const Neighbours& columns, float empty) {
    const auto at = [&](int row, int column) {
        return row < 0 || column < 0 ? empty
                                     : plane[static_cast<std::size_t>(row) * width +
                                             static_cast<std::size_t>(column)];
    };
    const auto across = [&](int row) {
        return between(at(row, columns.first), at(row, columns.second), columns.weight);
    };
    return between(across(rows.first), across(rows.second), rows.weight);
}

}  // namespace

void resample(const float* from, float* to, const PlaneShape& shape, const Affine& affine,
              const Fill& fill) {
    const auto empty = static_cast<float>(fill.value);
    const auto width = static_cast<std::size_t>(shape.width);
    const std::size_t plane = shape.pixels();
    for (int y = 0; y < shape.height; ++y)
        for (int x = 0; x < shape.width; ++x, ++to) {
            const Neighbours rows(affine.yy * y + affine.yx * x + affine.y0, shape.height,
                                  fill.mode);
            const Neighbours columns(affine.xy * y + affine.xx * x + affine.x0, shape.width,
                                     fill.mode);
            const bool is_inside = rows.is_inside() && columns.is_inside();
            for (std::size_t c = 0; c < static_cast<std::size_t>(shape.channels); ++c)
                to[c * plane] = is_inside
                                    ? interpolated(from + c * plane, width, rows, columns)
                                    : interpolated(from + c * plane, width, rows, columns, empty);
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
