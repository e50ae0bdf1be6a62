#pragma once

// The classic ring [1]: reduce-scatter, then allgather.
//
// The buffer is cut into P slices, one a rank. Each rank first adds up its own shards. Then every
// slice travels once around while it is summed: in step s = 0 .. P-2 rank r sends slice r-s (mod P)
// to the right and adds the slice r-s-1 that comes from the left to its own. Rank r ends with the
// finished slice r+1, and P-1 further steps pass the finished slices around.
//
// Slice i is summed in the order of ranks i, i+1, ..., i-1: P and the place in the buffer set the
// order of its additions, so the bits change with the number of ranks. On one P they are always
// the same, and the same on every rank.
//
// Cost: each link carries 2(P-1)/P x count floats, the least an allreduce can do with; 2(P-1)
// latencies. Slices are sent in pieces, so that one piece is added while the next one travels.
//
// [1] P. Patarasuk, X. Yuan: Bandwidth optimal all-reduce algorithms for clusters of
//     workstations. J. Parallel Distrib. Comput. 69(2):117-124, 2009.
//     doi:10.1016/j.jpdc.2008.09.002

#include <cstddef>
#include <span>
#include <vector>

#include "trainer/exchange/allreduce.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

class ClassicRing : public Allreduce {
public:
    static constexpr std::size_t kDefaultPieceSize =
        32768;  // 128 KiB, as the ordered ring's chunks

    // Allocates everything, so that sum_shards() allocates nothing. Collective; the communicator
    // must outlive this object.
    //   count        elements of the gradient, equal on all ranks; may be 0
    //   piece_size   elements of a piece, 1 to 2^30, equal on all ranks; changes speed, never bits
    // Throws, on every rank
    //   CommError   if the ranks were given different or impossible sizes
    ClassicRing(const Communicator& comm, std::size_t count,
                std::size_t piece_size = kDefaultPieceSize);

    // As Allreduce::sum_shards(). With one rank nothing is sent.
    void sum_shards(std::span<const std::span<const float>> own_shards,
                    std::span<float> sum) override;

private:
    enum class Arriving { is_added, replaces };

    void pass_slices(int sent_slice, std::span<float> sum, Arriving arriving);
    void start_pieces(std::span<float> sent, std::span<float> received);
    void add_arriving(std::span<float> slice);
    std::span<float> slice_of(std::span<float> sum, int slice) const;
    std::span<float> piece_of(std::span<float> slice, std::size_t index) const;
    std::size_t pieces_in(std::size_t slice_size) const;

    const Communicator& comm_;
    std::size_t count_;
    std::size_t piece_size_;
    AlignedArray<float> arriving_;       // [largest slice]
    std::vector<MPI_Request> receives_;  // [pieces of the largest slice]
    std::vector<MPI_Request> sends_;     // [pieces of the largest slice]
};

}  // namespace lockstep::trainer
