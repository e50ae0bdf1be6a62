#pragma once

// The kernel of a depthwise convolution, Keras' [KH, KW, channels], in blocks of channels; and the
// shape that its kernels want.

#include "trainer/kernels/channel_groups.hpp"
#include "trainer/kernels/convolution_shape.hpp"
#include "trainer/kernels/depthwise/depthwise.hpp"
#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

inline DepthwiseShape depthwise_shape(const ConvolutionShape& shape, int block) {
    return {.block = block,
            .channels = channel_groups(shape, block).padded_dst(),
            .src_height = shape.src.height,
            .src_width = shape.src.width,
            .dst_height = shape.dst.height,
            .dst_width = shape.dst.width,
            .kernel_size = shape.kernel_size,
            .strides = shape.strides,
            .dilation_rate = shape.dilation_rate,
            .pad_before = shape.pad_before};
}

class DepthwiseKernelFormat : public ParameterFormat {
public:
    DepthwiseKernelFormat(const DepthwiseShape& shape, int channels)
        : shape_(shape), channels_(static_cast<std::size_t>(channels)) {}

    std::size_t size() const override {
        return shape_.filter() * static_cast<std::size_t>(shape_.blocks());
    }
    void pack(std::span<const float> keras, std::span<float> arena) const override {
        for (float& value : arena) value = 0.0F;
        for_each([&](std::size_t from, std::size_t to) { arena[to] = keras[from]; });
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        for_each([&](std::size_t to, std::size_t from) { keras[to] = arena[from]; });
    }

private:
    template <class Copy>  // copy(place in Keras' kernel, place in the arena)
    void for_each(Copy copy) const {
        const auto taps = static_cast<std::size_t>(shape_.taps());
        const auto block = static_cast<std::size_t>(shape_.block);
        for (std::size_t tap = 0; tap < taps; ++tap)
            for (std::size_t c = 0; c < channels_; ++c)
                copy(tap * channels_ + c, (c / block * taps + tap) * block + c % block);
    }

    DepthwiseShape shape_;
    std::size_t channels_;
};

}  // namespace lockstep::trainer
