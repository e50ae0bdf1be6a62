#pragma once

// Gradients for tests of the exchanges: the same on every rank, so that each can check the sum.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lockstep::tests {

// Where the contiguous ranges of the ranks end.
enum class Ownership {
    near_equal,    // with fewer shards than ranks some ranks own none
    all_on_first,  // as in a short last batch
    all_on_last,
};
std::string to_string(Ownership ownership);

// The gradients of all shards, each of shape [count], in memory that begins `misalignment` floats
// behind an allocation's begin. Magnitudes differ by 2^20, so that the order of additions shows in
// the bits; every seventh element is -0 in all shards, whose sum must be +0.
class ShardGradients {
public:
    ShardGradients(std::size_t shards, std::size_t count, std::uint32_t seed,
                   std::size_t misalignment = 0);

    std::vector<std::span<const float>> all() const;
    std::vector<std::span<const float>> own(int rank, int ranks, Ownership ownership) const;

    // The oracle: a plain loop, ((+0 + g0) + g1) + ...
    std::vector<float> serial_sum() const;
    // The oracle of the tree: its node over the shards first .. first + size - 1 that are less than
    // `filled`; size is a power of two. Empty, if there are none.
    std::vector<float> node_sum(std::size_t first, std::size_t size, std::size_t filled) const;
    std::vector<float> tree_sum(std::size_t filled) const;  // of shards 0 .. filled - 1

private:
    std::size_t count_;
    std::size_t misalignment_;
    std::vector<std::vector<float>> storage_;
};

bool same_bits(std::span<const float> a, std::span<const float> b);

}  // namespace lockstep::tests
