#include "trainer/exchange/classic_ring.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "liveness/pulse.hpp"
#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {
namespace {

constexpr std::size_t kMaxPieceSize = std::size_t{1} << 30;  // below MPI's int count
constexpr int kTag = 0;

std::size_t rounded_up_quotient(std::size_t value, std::size_t divisor) {
    return (value + divisor - 1) / divisor;
}

}  // namespace

ClassicRing::ClassicRing(const Communicator& comm, std::size_t count, std::size_t piece_size)
    : comm_(comm), count_(count), piece_size_(piece_size) {
    require_equal_on_all_ranks(comm, count, "lengths of the gradient");
    require_equal_on_all_ranks(comm, piece_size, "piece sizes");
    if (piece_size == 0 || piece_size > kMaxPieceSize) {
        throw CommError("a piece has 1 to 2^30 elements, not " + std::to_string(piece_size));
    }
    if (comm.size() == 1) return;
    arriving_ =
        AlignedArray<float>(rounded_up_quotient(count, static_cast<std::size_t>(comm.size())));
    receives_.reserve(pieces_in(arriving_.size()));
    sends_.reserve(pieces_in(arriving_.size()));
}

void ClassicRing::sum_shards(std::span<const std::span<const float>> own_shards,
                             std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    sum_in_shard_order(own_shards, sum);
    const int ranks = comm_.size();
    for (int step = 0; step < ranks - 1; ++step) {
        pass_slices(comm_.rank() - step, sum, Arriving::is_added);
    }
    for (int step = 0; step < ranks - 1; ++step) {
        pass_slices(comm_.rank() + 1 - step, sum, Arriving::replaces);
    }
}

// Sends one slice to the right while the slice before it comes in from the left.
void ClassicRing::pass_slices(int sent_slice, std::span<float> sum, Arriving arriving) {
    const liveness::Waiting waiting;
    const std::span<float> slice = slice_of(sum, sent_slice - 1);
    const bool is_added = arriving == Arriving::is_added;
    pass_hop();
    start_pieces(slice_of(sum, sent_slice),
                 is_added ? arriving_.span().first(slice.size()) : slice);
    pass_hop();
    if (is_added) add_arriving(slice);
    check_mpi(
        MPI_Waitall(static_cast<int>(receives_.size()), receives_.data(), MPI_STATUSES_IGNORE),
        "MPI_Waitall");
    check_mpi(MPI_Waitall(static_cast<int>(sends_.size()), sends_.data(), MPI_STATUSES_IGNORE),
              "MPI_Waitall");
}

void ClassicRing::start_pieces(std::span<float> sent, std::span<float> received) {
    const int left = (comm_.rank() + comm_.size() - 1) % comm_.size();
    const int right = (comm_.rank() + 1) % comm_.size();
    receives_.assign(pieces_in(received.size()), MPI_REQUEST_NULL);
    sends_.assign(pieces_in(sent.size()), MPI_REQUEST_NULL);
    for (std::size_t i = 0; i < receives_.size(); ++i) {
        const auto piece = piece_of(received, i);
        check_mpi(MPI_Irecv(piece.data(), static_cast<int>(piece.size()), MPI_FLOAT, left, kTag,
                            comm_.handle(), &receives_[i]),
                  "MPI_Irecv");
    }
    for (std::size_t i = 0; i < sends_.size(); ++i) {
        const auto piece = piece_of(sent, i);
        check_mpi(MPI_Isend(piece.data(), static_cast<int>(piece.size()), MPI_FLOAT, right, kTag,
                            comm_.handle(), &sends_[i]),
                  "MPI_Isend");
    }
}

// Piece by piece, while the next ones are still on their way.
void ClassicRing::add_arriving(std::span<float> slice) {
    const std::array<std::span<const float>, 1> arriving{arriving_.span()};
    for (std::size_t i = 0; i < receives_.size(); ++i) {
        check_mpi(MPI_Wait(&receives_[i], MPI_STATUS_IGNORE), "MPI_Wait");
        const std::span<float> piece = piece_of(slice, i);
        add_in_shard_order(piece, arriving, i * piece_size_, piece);
    }
}

// Slice `slice` modulo P: near-equal parts of the buffer, the longer ones first.
std::span<float> ClassicRing::slice_of(std::span<float> sum, int slice) const {
    const auto ranks = static_cast<std::size_t>(comm_.size());
    const auto index =
        static_cast<std::size_t>((slice % comm_.size() + comm_.size()) % comm_.size());
    const std::size_t longer = count_ % ranks;
    const std::size_t first = index * (count_ / ranks) + std::min(index, longer);
    return sum.subspan(first, count_ / ranks + (index < longer ? 1 : 0));
}

std::span<float> ClassicRing::piece_of(std::span<float> slice, std::size_t index) const {
    const std::size_t first = index * piece_size_;
    return slice.subspan(first, std::min(piece_size_, slice.size() - first));
}

std::size_t ClassicRing::pieces_in(std::size_t slice_size) const {
    return rounded_up_quotient(slice_size, piece_size_);
}

}  // namespace lockstep::trainer
