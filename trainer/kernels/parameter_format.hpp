#pragma once

// How a parameter of Keras lies in the arena the kernels read.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace lockstep::trainer {

class ParameterFormat {
public:
    virtual ~ParameterFormat() = default;
    virtual std::size_t size() const = 0;  // floats in the arena, padding included
    // Padding becomes zero, and training keeps it so: its gradient is zero, and every update rule
    // leaves a weight with zero gradient and zero slots as it is.
    virtual void pack(std::span<const float> keras, std::span<float> arena) const = 0;
    virtual void unpack(std::span<const float> arena, std::span<float> keras) const = 0;
};

// One value a channel or feature: biases, gamma, beta, moving statistics.
class ChannelFormat : public ParameterFormat {
public:
    // positions[i] is where Keras' value i stands among `size` floats.
    ChannelFormat(std::vector<std::uint32_t> positions, std::size_t size)
        : positions_(std::move(positions)), size_(size) {}
    std::size_t size() const override { return size_; }
    void pack(std::span<const float> keras, std::span<float> arena) const override {
        for (float& value : arena) value = 0.0F;
        for (std::size_t i = 0; i < positions_.size(); ++i) arena[positions_[i]] = keras[i];
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        for (std::size_t i = 0; i < positions_.size(); ++i) keras[i] = arena[positions_[i]];
    }

private:
    std::vector<std::uint32_t> positions_;
    std::size_t size_;
};

}  // namespace lockstep::trainer
