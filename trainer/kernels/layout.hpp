#pragma once

// How one sample's activations lie in memory.
//
//   [channel blocks][height][width][block]       one sample; samples follow each other
//
// block = 1 are planes (oneDNN's nchw), block = channels are interleaved pixels (nhwc), 16 and 8
// are the layouts of oneDNN's direct convolutions (nChw16c, nChw8c). Where the block does not
// divide the channels, the last block is padded with channels that are always zero.
//
// The sample is the outermost dimension everywhere, so any range of samples (a shard, a rank's
// part) is one contiguous piece of memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "trainer/config/shape.hpp"

namespace lockstep::trainer {

struct Layout {
    int height = 1;
    int width = 1;
    int channels = 0;  // without padding
    int block = 1;
    // Flat vectors that were images: features in Keras' order (h, w, c) -> position in memory.
    // Null where both are the same.
    std::shared_ptr<const std::vector<std::uint32_t>> feature_positions;

    int channel_blocks() const { return (channels + block - 1) / block; }
    int padded_channels() const { return channel_blocks() * block; }
    int pixels() const { return height * width; }
    std::size_t sample_size() const {  // floats
        return static_cast<std::size_t>(padded_channels()) * static_cast<std::size_t>(pixels());
    }
    std::size_t position(int h, int w, int c) const {
        const auto cb = static_cast<std::size_t>(c / block),
                   cr = static_cast<std::size_t>(c % block);
        const auto pixel = static_cast<std::size_t>(h) * static_cast<std::size_t>(width) +
                           static_cast<std::size_t>(w);
        return (cb * static_cast<std::size_t>(pixels()) + pixel) * static_cast<std::size_t>(block) +
               cr;
    }
    bool operator==(const Layout&) const = default;
};

Layout planes(const Shape& shape);       // block = 1
Layout interleaved(const Shape& shape);  // block = channels
Layout blocked(const Shape& shape, int block);

// The layout of the vector that a flatten makes of images without moving them: padding included.
Layout flattened(const Layout& image);

// Where Keras' feature i of a flat vector, or channel i of an image, stands: for parameters that
// have one value a feature or channel. Length: the logical number of features.
std::vector<std::uint32_t> feature_positions(const Layout& layout);

// Moves activations between two layouts of the same values; padding becomes zero. Where each value
// goes is found once, so that moving allocates nothing.
class Relayout {
public:
    Relayout(const Layout& from, const Layout& to);
    void forward(const float* src, float* dst, int samples) const;
    void backward(const float* diff_dst, float* diff_src, int samples) const;

private:
    struct Side {
        std::vector<std::uint32_t> positions;  // of Keras' values, in the order (h, w, c)
        std::size_t sample_size;
    };
    static Side side_of(const Layout& layout);
    static void move(const Side& from, const float* src, const Side& to, float* dst, int samples);

    Side from_;
    Side to_;
};

// The same once.
void relayout(const Layout& from, const float* src, const Layout& to, float* dst, int samples);

}  // namespace lockstep::trainer
