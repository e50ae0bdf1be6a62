// The order of the sum against a recursive definition, as text: "((0+1)+2)".
#include "trainer/determinism/shard_tree.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/determinism/shards.hpp"

using namespace lockstep::trainer;

namespace {

// Node over shards first .. first + size - 1; "" where none is filled.
std::string node(int first, int size, int filled) {
    if (first >= filled) return "";
    if (size == 1) return std::to_string(first);
    const std::string left = node(first, size / 2, filled);
    const std::string right = node(first + size / 2, size / 2, filled);
    return right.empty() ? left : "(" + left + "+" + right + ")";
}

std::string whole_tree(int filled) { return node(0, 64, filled); }

// Evaluates the expression.
std::string sum_of(const std::vector<std::string>& terms, const std::vector<int>& additions) {
    std::vector<std::string> stack;
    for (std::size_t i = 0; i < terms.size(); ++i) {
        stack.push_back(terms[i]);
        for (int k = 0; k < additions[i]; ++k) {
            const std::string right = stack.back();
            stack.pop_back();
            stack.back() = "(" + stack.back() + "+" + right + ")";
        }
    }
    return stack.size() == 1 ? stack.front() : "";
}

// The sum of a subtree, from its own shards.
std::string sum_of_shards(const SampleRange& subtree, int filled) {
    std::vector<SampleRange> leaves;
    std::vector<std::string> names;
    for (int shard = subtree.first; shard < subtree.first + subtree.count; ++shard) {
        leaves.push_back({shard, 1});
        names.push_back(std::to_string(shard));
    }
    return sum_of(names, additions_after(leaves, filled));
}

}  // namespace

TEST_CASE("any number of ranks adds up the same tree", "[trainer][shards]") {
    for (int shards = 1; shards <= 33; ++shards)
        for (int filled : {1, shards / 2, shards - 1, shards}) {
            if (filled < 1) continue;
            int wrong = 0;
            for (int ranks = 1; ranks <= shards; ++ranks) {
                std::vector<SampleRange> terms;
                std::vector<std::string> sums;
                for (int rank = 0; rank < ranks; ++rank)
                    for (const SampleRange& subtree :
                         subtrees_of(shards_of_rank(shards, ranks, rank), filled)) {
                        terms.push_back(subtree);
                        sums.push_back(sum_of_shards(subtree, filled));
                    }
                wrong += sum_of(sums, additions_after(terms, filled)) != whole_tree(filled);
            }
            CAPTURE(shards, filled);
            CHECK(wrong == 0);
        }
}

TEST_CASE("a range's subtrees cover its filled shards, as few as there are", "[trainer][shards]") {
    for (int filled = 1; filled <= 17; ++filled)
        for (int first = 0; first <= 17; ++first)
            for (int count = 0; first + count <= 17; ++count) {
                CAPTURE(filled, first, count);
                int next = first;
                const auto subtrees = subtrees_of({first, count}, filled);
                for (const SampleRange& subtree : subtrees) {
                    CHECK(subtree.first == next);
                    next += subtree.count;
                }
                CHECK(next == std::max(first, std::min(first + count, filled)));
                for (std::size_t i = 1; i < subtrees.size(); ++i)  // no two are one
                    CHECK(subtrees_of(
                              {subtrees[i - 1].first, subtrees[i - 1].count + subtrees[i].count},
                              filled)
                              .size() == 2);
            }
}

TEST_CASE("the shards of half the ranks are one subtree", "[trainer][shards]") {
    for (const int ranks : {1, 2, 4, 8})
        for (int rank = 0; rank < ranks; ++rank)
            CHECK(subtrees_of(shards_of_rank(8, ranks, rank), 8).size() == 1);
    CHECK(subtrees_of({3, 5}, 8).size() == 2);  // 3, 4-7
    CHECK(subtrees_of({4, 2}, 6).size() == 1);
    CHECK(subtrees_of({4, 3}, 7).size() == 1);  // cut off
    CHECK(subtrees_of({4, 3}, 8).size() == 2);
    CHECK(subtrees_of({6, 2}, 6).empty());
}

TEST_CASE("terms that make up no node are refused", "[trainer][shards]") {
    const auto refuses = [](const std::vector<SampleRange>& terms, int filled) {
        CHECK_THROWS_AS(additions_after(terms, filled), std::invalid_argument);
    };
    refuses({{0, 1}, {2, 1}}, 8);  // no neighbours
    refuses({{1, 1}, {2, 1}}, 8);  // of different parents
    refuses({{0, 3}, {3, 1}}, 8);  // 0-2 is no node
    refuses({{0, 2}}, 1);          // not all filled
    refuses({{0, 0}}, 1);
    CHECK(additions_after({}, 8).empty());
    CHECK(additions_after(std::vector<SampleRange>{{0, 2}, {2, 1}}, 3) == std::vector<int>{0, 1});
}
