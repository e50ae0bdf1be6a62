#pragma once

// Keras' [KH, KW, IC, OC] <-> the first convolution's [dst block][KH][KW][IC][channel in block].

#include <array>

#include "trainer/kernels/first/first_convolution.hpp"
#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

class FirstKernelFormat : public ParameterFormat {
public:
    //   filters   without padding
    FirstKernelFormat(const FirstConvolutionShape& shape, int filters)
        : taps_(static_cast<std::size_t>(shape.taps())),
          block_(static_cast<std::size_t>(shape.block)),
          filters_(static_cast<std::size_t>(filters)),
          size_(taps_ * static_cast<std::size_t>(shape.dst_channels)) {}

    std::size_t size() const override { return size_; }
    void pack(std::span<const float> keras, std::span<float> arena) const override {
        for (float& value : arena) value = 0.0F;
        for (std::size_t tap = 0; tap < taps_; ++tap)
            for (std::size_t c = 0; c < filters_; ++c)
                arena[place(tap, c)] = keras[tap * filters_ + c];
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        for (std::size_t tap = 0; tap < taps_; ++tap)
            for (std::size_t c = 0; c < filters_; ++c)
                keras[tap * filters_ + c] = arena[place(tap, c)];
    }

private:
    std::size_t place(std::size_t tap, std::size_t channel) const {
        return (channel / block_ * taps_ + tap) * block_ + channel % block_;
    }

    std::size_t taps_;
    std::size_t block_;
    std::size_t filters_;
    std::size_t size_;
};

}  // namespace lockstep::trainer
