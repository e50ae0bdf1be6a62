#pragma once

#include <cstdint>
#include <string>

namespace lockstep::trainer {

// The shape of one sample between two layers: an image [height, width, channels] in Keras' order,
// or after a flatten or dense layer a plain vector [channels] (height = width = 1).
struct Shape {
    int height = 1;
    int width = 1;
    int channels = 0;
    bool is_flat = false;

    std::int64_t size() const { return std::int64_t{height} * width * channels; }
    bool operator==(const Shape&) const = default;
};
std::string to_string(const Shape& shape);  // as Keras prints it: "(None, 32, 32, 3)"

}  // namespace lockstep::trainer
