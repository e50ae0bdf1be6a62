#pragma once

// Layers of several inputs: Add, Multiply and Concatenate. Where some are images of one pixel that
// stands for others' whole images: broadcast_merge.hpp.

#include <memory>
#include <span>
#include <vector>

#include "trainer/layers/layer.hpp"

namespace lockstep::trainer {

// dst = the sum of several sources of one layout, in their order, and its ReLU. The gradient goes
// to each of them as it is.
class Add : public Layer {
public:
    Add(const Layout& layout, std::size_t sources, bool has_relu = false)
        : Layer(std::vector(sources, layout), layout), has_relu_(has_relu) {}
    bool makes_relu() const override { return has_relu_; }
    void bind(PassBuilder& pass) const override;

private:
    bool has_relu_;
};

// dst = the product of several sources of one layout, in their order.
class Multiply : public Layer {
public:
    Multiply(const Layout& layout, std::size_t sources)
        : Layer(std::vector(sources, layout), layout) {}
    void bind(PassBuilder& pass) const override;
};

// dst = the channels of several sources one behind the other, or the features of several vectors.
class Concatenate : public Layer {
public:
    // Images of one height, width and block, or vectors without padding.
    Concatenate(std::vector<Layout> sources, Layout dst);
    void bind(PassBuilder& pass) const override;

private:
    // From one source into dst: pieces of a sample that are whole in both.
    struct Piece {
        std::size_t src, dst, floats;
    };
    std::vector<Piece> pieces_of(std::size_t source, int first_channel) const;
    // One of the two values, and where a piece stands in it.
    struct Side {
        const Layout& layout;
        std::size_t Piece::*place;
    };
    Side src_side(std::size_t i) const { return {src(i), &Piece::src}; }
    Side dst_side() const { return {dst(), &Piece::dst}; }
    static void copy(std::span<const Piece> pieces, const Side& from, const float* src,
                     const Side& to, float* dst, int samples);

    std::vector<std::vector<Piece>> pieces_;  // by source
};

// A layer that wants its sources as they can be merged: images in the first one's blocks of
// channels, the network's own input aside; vectors without padding.
std::unique_ptr<Layer> make_merge(MergeKind kind, std::span<const Layout> sources);
// The same sum, with the ReLU of a layer behind it.
std::unique_ptr<Layer> make_add_relu(std::span<const Layout> sources);

}  // namespace lockstep::trainer
