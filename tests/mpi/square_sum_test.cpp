// The sum of squares has the bits that one rank gets alone, whoever sees which lines.
#include "trainer/exchange/square_sum.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/exchange/slices.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Every third piece counts zero, the others by factors of their own.
struct Piece {
    std::size_t first, count;
    double factor;
};

std::vector<Piece> pieces_of(std::size_t count) {
    std::vector<Piece> pieces;
    RandomValues random(count + 1);
    for (std::size_t first = 0; first < count;) {
        const std::size_t length = std::min<std::size_t>(1 + random.below(70), count - first);
        pieces.push_back({first, length, pieces.size() % 3 == 2 ? 0.0 : 0.5 + random.below(4)});
        first += length;
    }
    return pieces;
}

// What lies in the slice of all pieces.
void add_slice(SquareSum& sum, const std::vector<float>& values, const Slice& slice) {
    for (const Piece& piece : pieces_of(values.size())) {
        const std::size_t first = std::max(piece.first, slice.first);
        const std::size_t end = std::min(piece.first + piece.count, slice.first + slice.count);
        if (first >= end) continue;
        if (piece.factor == 0.0)
            sum.add_nothing(first, end - first);
        else
            sum.add(first, std::span(values).subspan(first, end - first), piece.factor);
    }
}

double alone(const std::vector<float>& values) {
    SquareSum sum(values.size(), 1);
    sum.begin();
    add_slice(sum, values, {0, values.size()});
    return sum.own_total();
}

// Cuts between ranks at any lines, some of them twice: an empty part.
Slice random_slice(std::size_t count, const Communicator& comm) {
    RandomValues random(count + 77);
    std::vector<std::size_t> cuts{0, count};
    for (int rank = 1; rank < comm.size(); ++rank) {
        const auto lines = static_cast<std::uint32_t>(count / kAlignedFloats + 1);
        cuts.push_back(std::min(count, kAlignedFloats * random.below(lines)));
    }
    std::ranges::sort(cuts);
    const auto rank = static_cast<std::size_t>(comm.rank());
    return {cuts[rank], cuts[rank + 1] - cuts[rank]};
}

bool has_equal_bits(double a, double b) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

}  // namespace

TEST_CASE("a sum of squares is that of one rank alone, to the last bit") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t count : {0, 1, 15, 16, 17, 31, 33, 160, 1000, 4095, 65'536, 70'001}) {
        CAPTURE(count, comm.rank());
        RandomValues random(count);
        const std::vector<float> values = random.floats(count, -3.0, 3.0);
        double plain = 0.0;
        for (const Piece& piece : pieces_of(count))
            for (std::size_t i = piece.first; i < piece.first + piece.count; ++i)
                plain +=
                    piece.factor * static_cast<double>(values[i]) * static_cast<double>(values[i]);
        const double expected = alone(values);
        CHECK(expected == Approx(plain).epsilon(1e-12));
        SquareSum sum(count, comm.size());
        for (const Slice& slice : {slice_of(count, comm.size(), comm.rank()),
                                   random_slice(count, comm), Slice{0, count}}) {
            sum.begin();  // the same object, again and again
            add_slice(sum, values, slice);
            CHECK(has_equal_bits(sum.total(comm), expected));
        }
    }
}
