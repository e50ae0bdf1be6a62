#pragma once

// Memory of a plan: a value, its gradient, or scratch. Made when layers are bound, placed when the
// whole plan is known; layers then ask it where a shard begins.

#include <cstddef>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"

namespace lockstep::trainer {

class Buffer {
public:
    // Bytes for each sample, or, with `is_fixed`, for all of them together.
    struct Size {
        std::size_t bytes = 0;
        bool is_fixed = false;

        bool operator==(const Size&) const = default;
        static Size of_samples(std::size_t floats) { return {floats * sizeof(float), false}; }
        static Size of_all(std::size_t floats) { return {floats * sizeof(float), true}; }
    };

    explicit Buffer(const Size& size) : size_(size) {}

    const Size& size() const { return size_; }
    // The first sample of own shard `shard`.
    std::byte* bytes_of_shard(std::size_t shard) const { return shards_[shard]; }
    template <class Value = float>
    Value* of_shard(std::size_t shard) const {
        return reinterpret_cast<Value*>(bytes_of_shard(shard));
    }
    // The first sample of all, where the buffer holds them all; or what is fixed.
    float* data() const { return reinterpret_cast<float*>(begin_); }

    //   holds_one_shard   all shards use the same memory in turn
    void place(std::byte* begin, std::span<const SampleRange> shards, bool holds_one_shard) {
        begin_ = begin;
        shards_.clear();
        for (const SampleRange& shard : shards) {
            const auto first = static_cast<std::size_t>(shard.first);
            shards_.push_back(holds_one_shard || size_.is_fixed ? begin
                                                                : begin + first * size_.bytes);
        }
    }

private:
    Size size_;
    std::byte* begin_ = nullptr;
    std::vector<std::byte*> shards_;
};

}  // namespace lockstep::trainer
