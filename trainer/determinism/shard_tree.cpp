#include "trainer/determinism/shard_tree.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace lockstep::trainer {
namespace {

struct Node {
    int first;  // shard, a multiple of size
    int size;   // 2^level

    SampleRange filled_part(int filled) const {
        return {first, std::clamp(filled - first, 0, size)};
    }
    Node left() const { return {first, size / 2}; }
    Node right() const { return {first + size / 2, size / 2}; }
};

Node root_over(int filled) {
    return {0, static_cast<int>(std::bit_ceil(static_cast<unsigned>(std::max(filled, 1))))};
}

void find_subtrees(const Node& node, SampleRange shards, int filled,
                   std::vector<SampleRange>& found) {
    const SampleRange part = node.filled_part(filled);
    const int end = part.first + part.count, end_of_shards = shards.first + shards.count;
    if (part.count == 0 || end <= shards.first || part.first >= end_of_shards) return;
    if (part.first >= shards.first && end <= end_of_shards) {
        found.push_back(part);
        return;
    }
    find_subtrees(node.left(), shards, filled, found);
    find_subtrees(node.right(), shards, filled, found);
}

// Writes the expression of one node, term by term.
class Expression {
public:
    Expression(std::span<const SampleRange> terms, int filled) : terms_(terms), filled_(filled) {}

    // False: no term lies in the node.
    bool write(const Node& node) {
        const SampleRange part = node.filled_part(filled_);
        const std::size_t next = additions_.size();
        if (next == terms_.size() || part.count == 0) return false;
        if (terms_[next].first >= part.first + part.count) return false;
        if (terms_[next].first == part.first && terms_[next].count == part.count) {
            additions_.push_back(0);
            return true;
        }
        if (node.size == 1) throw std::invalid_argument("a term is no node of the tree");
        const bool has_left = write(node.left());
        const bool has_right = write(node.right());
        if (has_left && has_right) ++additions_.back();
        return has_left || has_right;
    }
    std::vector<int> additions() && { return std::move(additions_); }

private:
    std::span<const SampleRange> terms_;
    int filled_;
    std::vector<int> additions_;
};

}  // namespace

std::vector<SampleRange> subtrees_of(SampleRange shards, int filled) {
    std::vector<SampleRange> found;
    find_subtrees(root_over(filled), shards, filled, found);
    return found;
}

std::vector<int> additions_after(std::span<const SampleRange> terms, int filled) {
    if (terms.empty()) return {};
    int end = terms.front().first;
    for (const SampleRange& term : terms) {
        if (term.first != end || term.count < 1)
            throw std::invalid_argument("the terms of a sum are no neighbours");
        end += term.count;
    }
    const SampleRange whole{terms.front().first, end - terms.front().first};
    if (end > filled || subtrees_of(whole, filled).size() != 1)
        throw std::invalid_argument("the terms of a sum make up no node of the tree");
    Expression expression(terms, filled);
    expression.write(root_over(filled));
    return std::move(expression).additions();
}

}  // namespace lockstep::trainer
