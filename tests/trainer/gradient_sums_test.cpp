// The sum of the own shards' gradients has the bits of the fixed binary tree over all shards.
#include "trainer/network/gradient_sums.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

using Gradient = std::vector<float>;
constexpr int kMostShards = 17;
// Tensors: one in front, two of the node, one behind. The node's first ends inside of a cache line.
constexpr std::size_t kFront = 16, kFirst = 37, kSecond = 32, kBehind = 16;
constexpr std::size_t kOwn = kFirst + kSecond;
constexpr unsigned char kLeftByOthers = 0xFF;  // as float32: NaN
constexpr std::size_t kFirstAt = kFront, kGap = round_up_to_line(kFirst) - kFirst,
                      kSecondAt = kFirstAt + kFirst + kGap;

void declare(Parameters& parameters) {
    for (const std::size_t size : {kFront, kFirst, kSecond, kBehind}) {
        std::vector<std::uint32_t> positions(size);
        for (std::uint32_t i = 0; i < size; ++i) positions[i] = i;
        parameters.add("layer", {"bias", {static_cast<std::int64_t>(size)}},
                       std::make_unique<ChannelFormat>(positions, size));
    }
    parameters.allocate();
}

std::vector<Gradient> random_gradients() {
    RandomValues random(5);
    std::vector<Gradient> gradients;
    for (int shard = 0; shard < kMostShards; ++shard) gradients.push_back(random.floats(kOwn));
    return gradients;
}

// Node i of a level covers shards [i 2^level, (i + 1) 2^level) of those that there are.
struct TreeNode {
    int level, index;
    int first() const { return index << level; }
    int end(int shards) const { return std::min((index + 1) << level, shards); }
};

Gradient sum_of(const TreeNode& node, const std::vector<Gradient>& gradients, int shards) {
    if (node.level == 0) return gradients[static_cast<std::size_t>(node.index)];
    const TreeNode left{node.level - 1, 2 * node.index}, right{node.level - 1, 2 * node.index + 1};
    Gradient sum = sum_of(left, gradients, shards);
    if (right.first() >= shards) return sum;
    const Gradient other = sum_of(right, gradients, shards);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += other[i];
    return sum;
}

// The largest nodes of which shards [first, end) consist.
std::vector<TreeNode> nodes_of(int first, int end, int shards) {
    std::vector<TreeNode> nodes;
    while (first < end) {
        TreeNode node{0, first};
        for (TreeNode larger{1, first >> 1};
             larger.first() == first && larger.end(shards) <= end && node.end(shards) < end;
             larger = {larger.level + 1, larger.index >> 1})
            node = larger;
        nodes.push_back(node);
        first = node.end(shards);
    }
    return nodes;
}

class Sums {
public:
    // A rank with shards [first, ...) that these nodes cover.
    Sums(const std::vector<TreeNode>& nodes, int shards) : first_(nodes.front().first()) {
        declare(parameters_);
        for (const TreeNode& node : nodes) {
            results_.emplace_back(parameters_.trainable_size());
            subtrees_.push_back(
                {{node.first() - first_, node.end(shards) - node.first()}, results_.back().data()});
        }
    }
    // [nodes][trainable floats]
    const std::deque<Gradient>& run(const std::vector<Gradient>& gradients) {
        std::deque<Buffer> buffers;
        const GradientSums sums(subtrees_, parameters_,
                                {kFirstAt, round_up_to_line(kFirst) + kSecond}, {}, buffers);
        std::deque<AlignedArray<unsigned char>> memory;
        for (Buffer& buffer : buffers) {
            auto& bytes = memory.emplace_back(buffer.size().bytes);
            std::ranges::fill(bytes.span(), kLeftByOthers);
            buffer.place(reinterpret_cast<std::byte*>(bytes.data()), {}, false);
        }
        scratch_ = buffers.size();
        CHECK(sums.buffers().size() == scratch_);
        CHECK(sums.adds() == (scratch_ > 0));
        const auto own =
            static_cast<std::size_t>(subtrees_.back().shards.first + subtrees_.back().shards.count);
        for (std::size_t shard = 0; shard < own; ++shard) {
            const float* const of_shard =
                gradients[static_cast<std::size_t>(first_) + shard].data();
            std::memcpy(sums.of(1, shard), of_shard, kFirst * sizeof(float));
            std::memcpy(sums.of(2, shard), of_shard + kFirst, kSecond * sizeof(float));
            sums.carry(shard);
        }
        return results_;
    }
    std::size_t scratch() const { return scratch_; }

private:
    Parameters parameters_;
    int first_;
    std::deque<Gradient> results_;
    std::vector<SubtreeGradient> subtrees_;
    std::size_t scratch_ = 0;
};

bool same_bits(const Gradient& gradient, std::size_t first, std::span<const float> expected) {
    return std::memcmp(gradient.data() + first, expected.data(), expected.size_bytes()) == 0;
}

void check_sums(const std::vector<TreeNode>& nodes, const std::vector<Gradient>& gradients,
                int shards) {
    Sums sums(nodes, shards);
    const std::deque<Gradient>& results = sums.run(gradients);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Gradient expected = sum_of(nodes[i], gradients, shards);
        const Gradient& result = results[i];
        CHECK(same_bits(result, kFirstAt, std::span(expected).first(kFirst)));
        CHECK(same_bits(result, kSecondAt, std::span(expected).last(kSecond)));
        // Other nodes' tensors, and what lies between two, are left as they were.
        CHECK(same_bits(result, 0, Gradient(kFront)));
        CHECK(same_bits(result, kFirstAt + kFirst, Gradient(kGap)));
        CHECK(same_bits(result, result.size() - kBehind, Gradient(kBehind)));
    }
}

}  // namespace

TEST_CASE("all shards of one rank: the root of the tree", "[trainer][plan]") {
    const std::vector<Gradient> gradients = random_gradients();
    for (int shards = 1; shards <= kMostShards; ++shards) {
        CAPTURE(shards);
        const TreeNode root{static_cast<int>(std::bit_width(static_cast<unsigned>(shards - 1))), 0};
        check_sums({root}, gradients, shards);
    }
}

TEST_CASE("some shards of many: the nodes of the tree that cover them", "[trainer][plan]") {
    const std::vector<Gradient> gradients = random_gradients();
    for (const int shards : {1, 2, 3, 5, 8, 11, 16, 17})
        for (int first = 0; first < shards; ++first)
            for (int end = first + 1; end <= shards; ++end) {
                CAPTURE(shards, first, end);
                check_sums(nodes_of(first, end, shards), gradients, shards);
            }
}

TEST_CASE("shards that are all groups of one are not added", "[trainer][plan]") {
    const std::vector<Gradient> gradients = random_gradients();
    check_sums({{0, 0}, {0, 1}, {0, 2}}, gradients, 3);
    Sums sums({{0, 0}, {0, 1}, {0, 2}}, 3);
    sums.run(gradients);
    CHECK(sums.scratch() == 0);
}

TEST_CASE("a counter's places: scratch grows with the logarithm of the shards", "[trainer][plan]") {
    const std::vector<Gradient> gradients = random_gradients();
    const std::map<int, std::size_t> scratch_by_shards{{1, 0}, {2, 1}, {3, 1},  {4, 2},
                                                       {7, 2}, {8, 3}, {16, 4}, {17, 4}};
    for (const auto& [shards, scratch] : scratch_by_shards) {
        CAPTURE(shards);
        Sums sums({{5, 0}}, shards);
        sums.run(gradients);
        CHECK(sums.scratch() == scratch);
    }
}

TEST_CASE("a layer without tensors takes no scratch", "[trainer][plan]") {
    Parameters parameters;
    parameters.allocate();
    std::deque<Buffer> buffers;
    const std::vector<SubtreeGradient> subtrees{{{0, 8}, nullptr}};
    CHECK_FALSE(GradientSums(subtrees, parameters, {}, {}, buffers).adds());
    CHECK(buffers.empty());
}

TEST_CASE("tensors that are not trained have a place that nobody adds up",
          "[trainer][gradient_sums]") {
    Parameters parameters;
    const auto add = [&](std::int64_t size) {
        const auto floats = static_cast<std::size_t>(size);
        return parameters.add(
            "layer", {"bias", {size}, false},
            std::make_unique<ChannelFormat>(std::vector<std::uint32_t>(floats), floats));
    };
    add(20);
    const std::size_t first = parameters.constant_size();
    const std::size_t one = add(20), two = add(5);
    std::deque<Buffer> buffers;
    const std::vector<SubtreeGradient> subtrees{{{0, 4}, nullptr}};
    const GradientSums sums(subtrees, parameters, {}, {first, parameters.constant_size() - first},
                            buffers);
    CHECK_FALSE(sums.adds());
    REQUIRE(sums.buffers().size() == 1);
    std::vector<float> memory(sums.buffers().front()->size().bytes / sizeof(float));
    sums.buffers().front()->place(reinterpret_cast<std::byte*>(memory.data()), {}, false);
    CHECK(sums.of(one, 3) == memory.data());
    CHECK(sums.of(two, 0) == memory.data() + round_up_to_line(20));
    CHECK(memory.size() >= round_up_to_line(20) + 5);
}
