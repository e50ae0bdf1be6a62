#pragma once

// The sum of squares over an array of which each rank sees a part: with the same bits whichever
// rank sees what.
//
// The order is a balanced binary tree over the array's cache lines of 16 floats: node (level, i) is
// the sum of lines [i 2^level, (i + 1) 2^level), its left child plus its right one, in double. A
// rank adds up the nodes that lie in its own lines, at most 2 log2(lines)
// of them; those travel, and every rank adds up the rest of the tree. So ranks may share the
// array as they like, in whole lines, and may see parts of it twice.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class SquareSum {
public:
    //   count   floats of the array; allocates all that is ever needed
    SquareSum(std::size_t count, int ranks);

    // Forgets what was added.
    void begin();
    // Adds factor x value^2 for values first .. first + values.size() - 1 of the array, or zero for
    // so many. Calls come in ascending order and cover the own part: whole lines, without a gap.
    void add(std::size_t first, std::span<const float> values, double factor = 1.0);
    void add_nothing(std::size_t first, std::size_t count);
    // Of what all ranks have added, on every rank. Collective.
    double total(const Communicator& comm);
    // Of what this rank has added, which is all of it.
    double own_total();

private:
    struct Node {
        std::int64_t level = 0;
        std::int64_t line = 0;  // its first one
        double sum = 0.0;
    };
    template <class Visit>
    void for_each_line(std::size_t first, std::size_t count, Visit visit);
    void finish_line();
    void push(Node node);
    double sum_of_stack() const;

    std::vector<Node> nodes_;  // that wait for their right neighbour, or are a right one
    std::size_t most_nodes_;
    bool is_open_ = false;
    std::size_t line_ = 0;              // the one under way
    double squares_[kAlignedFloats]{};  // of that line
    std::vector<double> sent_, arrived_;
    std::vector<int> counts_, offsets_;
    std::vector<Node> of_all_;
};

}  // namespace lockstep::trainer
