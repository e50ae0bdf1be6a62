#include "tests/mpi/shard_gradients.hpp"

#include <bit>
#include <cmath>
#include <cstring>

namespace lockstep::tests {
namespace {

// Marsaglia's xorshift: quick, and the same everywhere.
std::uint32_t next(std::uint32_t& state) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

float element(std::uint32_t word) {
    const auto mantissa = static_cast<float>(static_cast<int>(word >> 8) - (1 << 23));
    return std::ldexp(mantissa, -23 - static_cast<int>(word % 20));
}

}  // namespace

std::string to_string(Ownership ownership) {
    switch (ownership) {
        case Ownership::near_equal:
            return "near equal";
        case Ownership::all_on_first:
            return "all on the first rank";
        case Ownership::all_on_last:
            return "all on the last rank";
    }
    return "";
}

ShardGradients::ShardGradients(std::size_t shards, std::size_t count, std::uint32_t seed,
                               std::size_t misalignment)
    : count_(count), misalignment_(misalignment) {
    std::uint32_t state = seed * 2654435761U + 1;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        std::vector<float>& gradient = storage_.emplace_back(misalignment + count);
        for (std::size_t i = 0; i < count; ++i) {
            gradient[misalignment + i] = i % 7 == 3 ? -0.0F : element(next(state));
        }
    }
}

std::vector<std::span<const float>> ShardGradients::all() const {
    std::vector<std::span<const float>> spans;
    for (const auto& gradient : storage_) {
        spans.push_back(std::span(gradient).subspan(misalignment_, count_));
    }
    return spans;
}

std::vector<std::span<const float>> ShardGradients::own(int rank, int ranks,
                                                        Ownership ownership) const {
    const auto spans = all();
    const auto r = static_cast<std::size_t>(rank);
    const auto p = static_cast<std::size_t>(ranks);
    if (ownership == Ownership::near_equal) {
        const auto first = static_cast<std::ptrdiff_t>(r * spans.size() / p);
        const auto last = static_cast<std::ptrdiff_t>((r + 1) * spans.size() / p);
        return {spans.begin() + first, spans.begin() + last};
    }
    const int owner = ownership == Ownership::all_on_first ? 0 : ranks - 1;
    return rank == owner ? spans : std::vector<std::span<const float>>{};
}

std::vector<float> ShardGradients::serial_sum() const {
    std::vector<float> sum(count_, 0.0F);
    for (const auto gradient : all()) {
        for (std::size_t i = 0; i < count_; ++i) sum[i] = sum[i] + gradient[i];
    }
    return sum;
}

std::vector<float> ShardGradients::node_sum(std::size_t first, std::size_t size,
                                            std::size_t filled) const {
    if (first >= filled) return {};
    if (size == 1) {
        const auto shard = all()[first];
        return {shard.begin(), shard.end()};
    }
    std::vector<float> sum = node_sum(first, size / 2, filled);
    const std::vector<float> right = node_sum(first + size / 2, size / 2, filled);
    for (std::size_t i = 0; i < right.size(); ++i) sum[i] = sum[i] + right[i];
    return sum;
}

std::vector<float> ShardGradients::tree_sum(std::size_t filled) const {
    std::vector<float> sum = node_sum(0, std::bit_ceil(filled), filled);
    sum.resize(count_);
    return sum;
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

}  // namespace lockstep::tests
