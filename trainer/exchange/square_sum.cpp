#include "trainer/exchange/square_sum.hpp"

#include <algorithm>
#include <bit>

namespace lockstep::trainer {
namespace {

constexpr std::size_t kNumbers = 3;  // of a node, as it travels
constexpr double kNoNode = -1.0;     // in place of a level

// The sum of a line, itself a tree.
double sum_of_line(const double* squares) {
    double sums[kAlignedFloats / 2];
    for (std::size_t i = 0; i < 8; ++i) sums[i] = squares[i] + squares[i + 8];
    for (std::size_t i = 0; i < 4; ++i) sums[i] += sums[i + 4];
    return (sums[0] + sums[2]) + (sums[1] + sums[3]);
}

}  // namespace

SquareSum::SquareSum(std::size_t count, int ranks)
    : most_nodes_(2 * static_cast<std::size_t>(std::bit_width(count / kAlignedFloats + 1) + 1)) {
    const std::size_t numbers = most_nodes_ * kNumbers;
    const auto peers = static_cast<std::size_t>(ranks);
    nodes_.reserve(most_nodes_);
    sent_.resize(numbers);
    arrived_.resize(numbers * peers);
    counts_.assign(peers, static_cast<int>(numbers));
    for (int rank = 0; rank < ranks; ++rank) offsets_.push_back(rank * static_cast<int>(numbers));
    of_all_.reserve(most_nodes_ * peers);
}

void SquareSum::begin() {
    nodes_.clear();
    is_open_ = false;
    std::ranges::fill(squares_, 0.0);
}

void SquareSum::add(std::size_t first, std::span<const float> values, double factor) {
    for_each_line(first, values.size(),
                  [&](std::size_t done, std::size_t place, std::size_t count) {
                      for (std::size_t k = 0; k < count; ++k) {
                          const auto value = static_cast<double>(values[done + k]);
                          squares_[place + k] = factor * (value * value);
                      }
                  });
}

void SquareSum::add_nothing(std::size_t first, std::size_t count) {
    for_each_line(first, count, [](std::size_t, std::size_t, std::size_t) {});
}

// visit(floats done, place in the line, floats)
template <class Visit>
void SquareSum::for_each_line(std::size_t first, std::size_t count, Visit visit) {
    for (std::size_t done = 0; done < count;) {
        const std::size_t line = (first + done) / kAlignedFloats;
        const std::size_t place = (first + done) % kAlignedFloats;
        const std::size_t floats = std::min(kAlignedFloats - place, count - done);
        if (is_open_ && line != line_) finish_line();
        is_open_ = true;
        line_ = line;
        visit(done, place, floats);
        done += floats;
        if (place + floats == kAlignedFloats) finish_line();
    }
}

void SquareSum::finish_line() {
    if (!is_open_) return;
    push({.level = 0, .line = static_cast<std::int64_t>(line_), .sum = sum_of_line(squares_)});
    std::ranges::fill(squares_, 0.0);
    is_open_ = false;
}

// Neighbours of one parent become it.
void SquareSum::push(Node node) {
    while (!nodes_.empty()) {
        const Node& left = nodes_.back();
        const std::int64_t size = std::int64_t{1} << node.level;
        const bool are_children = left.level == node.level && left.line + size == node.line &&
                                  left.line % (2 * size) == 0;
        if (!are_children) break;
        node = {.level = node.level + 1, .line = left.line, .sum = left.sum + node.sum};
        nodes_.pop_back();
    }
    nodes_.push_back(node);
}

// Beyond the end of the array there is nothing to add: left parts wait for what they have.
double SquareSum::sum_of_stack() const {
    if (nodes_.empty()) return 0.0;
    double sum = nodes_.back().sum;
    for (std::size_t i = nodes_.size() - 1; i-- > 0;) sum = nodes_[i].sum + sum;
    return sum;
}

double SquareSum::own_total() {
    finish_line();
    return sum_of_stack();
}

double SquareSum::total(const Communicator& comm) {
    finish_line();
    std::ranges::fill(sent_, kNoNode);
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        sent_[kNumbers * i] = static_cast<double>(nodes_[i].level);
        sent_[kNumbers * i + 1] = static_cast<double>(nodes_[i].line);
        sent_[kNumbers * i + 2] = nodes_[i].sum;
    }
    comm.all_gather(sent_, arrived_, counts_, offsets_);
    of_all_.clear();
    for (std::size_t i = 0; i < arrived_.size(); i += kNumbers)
        if (arrived_[i] != kNoNode)
            of_all_.push_back({.level = static_cast<std::int64_t>(arrived_[i]),
                               .line = static_cast<std::int64_t>(arrived_[i + 1]),
                               .sum = arrived_[i + 2]});
    std::ranges::sort(of_all_, {}, &Node::line);
    nodes_.clear();
    std::int64_t next = 0;
    for (const Node& node : of_all_) {
        if (node.line < next) continue;  // seen by two ranks
        push(node);
        next = node.line + (std::int64_t{1} << node.level);
    }
    return sum_of_stack();
}

}  // namespace lockstep::trainer
