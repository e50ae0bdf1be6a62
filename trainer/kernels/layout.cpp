#include "trainer/kernels/layout.hpp"

#include <algorithm>
#include <numeric>

namespace lockstep::trainer {

Layout blocked(const Shape& shape, int block) {
    return {shape.height, shape.width, shape.channels, block, nullptr};
}

Layout planes(const Shape& shape) { return blocked(shape, 1); }

Layout interleaved(const Shape& shape) { return blocked(shape, shape.channels); }

Layout flattened(const Layout& image) {
    const int size = static_cast<int>(image.sample_size());
    Layout flat{1, 1, size, size, image.feature_positions};
    const bool is_in_keras_order = image.pixels() == 1 || image.block == image.channels;
    if (is_in_keras_order && image.padded_channels() == image.channels) return flat;
    auto positions = std::make_shared<std::vector<std::uint32_t>>();
    for (int h = 0; h < image.height; ++h)
        for (int w = 0; w < image.width; ++w)
            for (int c = 0; c < image.channels; ++c)
                positions->push_back(static_cast<std::uint32_t>(image.position(h, w, c)));
    flat.feature_positions = std::move(positions);
    return flat;
}

std::vector<std::uint32_t> feature_positions(const Layout& layout) {
    if (layout.feature_positions) return *layout.feature_positions;
    std::vector<std::uint32_t> identity(static_cast<std::size_t>(layout.channels));
    std::iota(identity.begin(), identity.end(), 0U);
    return identity;
}

Relayout::Side Relayout::side_of(const Layout& layout) {
    if (layout.feature_positions) return {*layout.feature_positions, layout.sample_size()};
    Side side{{}, layout.sample_size()};
    for (int h = 0; h < layout.height; ++h)
        for (int w = 0; w < layout.width; ++w)
            for (int c = 0; c < layout.channels; ++c)
                side.positions.push_back(static_cast<std::uint32_t>(layout.position(h, w, c)));
    return side;
}

Relayout::Relayout(const Layout& from, const Layout& to) : from_(side_of(from)), to_(side_of(to)) {}

void Relayout::move(const Side& from, const float* src, const Side& to, float* dst, int samples) {
    std::fill_n(dst, to.sample_size * static_cast<std::size_t>(samples), 0.0F);
    for (int n = 0; n < samples; ++n, src += from.sample_size, dst += to.sample_size)
        for (std::size_t i = 0; i < from.positions.size(); ++i)
            dst[to.positions[i]] = src[from.positions[i]];
}

void Relayout::forward(const float* src, float* dst, int samples) const {
    move(from_, src, to_, dst, samples);
}

void Relayout::backward(const float* diff_dst, float* diff_src, int samples) const {
    move(to_, diff_dst, from_, diff_src, samples);
}

void relayout(const Layout& from, const float* src, const Layout& to, float* dst, int samples) {
    Relayout(from, to).forward(src, dst, samples);
}

}  // namespace lockstep::trainer
