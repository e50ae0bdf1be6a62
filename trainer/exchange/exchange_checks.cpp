#include "trainer/exchange/exchange_checks.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "liveness/pulse.hpp"

namespace lockstep::trainer {

void require_equal_on_all_ranks(const Communicator& comm, std::size_t value,
                                std::string_view what) {
    const liveness::Waiting waiting;
    // The least value and, as its complement, the greatest, in one collective call.
    std::array<std::uint64_t, 2> least{value, ~std::uint64_t{value}};
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, least.data(), 2, MPI_UINT64_T, MPI_MIN, comm.handle()),
              "MPI_Allreduce");
    if (least[0] == ~least[1]) return;
    throw CommError(
        fmt::format("ranks were given different {}: from {} to {}", what, least[0], ~least[1]));
}

void require_equal_on_all_ranks(const Communicator& comm, const ExchangeSetting& setting) {
    require_equal_on_all_ranks(comm, setting.count, "lengths of the gradient");
    require_equal_on_all_ranks(comm, setting.tail, "lengths of its tail");
    require_equal_on_all_ranks(comm, static_cast<std::size_t>(setting.shards), "numbers of shards");
    require_equal_on_all_ranks(comm, setting.factors, "lengths of factors");
    require_equal_on_all_ranks(comm, std::size_t{setting.keeps_sums}, "ways to keep sums");
    require_equal_on_all_ranks(comm, std::size_t{setting.has_directions}, "kinds of updates");
    require_equal_on_all_ranks(comm, setting.filled_shards.size(), "sizes of batches");
    for (const int filled : setting.filled_shards)
        require_equal_on_all_ranks(comm, static_cast<std::size_t>(filled), "filled shards");
    if (!std::in_range<int>(setting.count + setting.tail))
        throw CommError(
            fmt::format("a gradient of {} floats is longer than MPI can count", setting.count));
}

void require_lengths(ShardGradients own_shards, std::span<const float> sum, std::size_t count) {
    if (sum.size() != count) {
        throw std::invalid_argument(
            fmt::format("the sum has {} elements instead of {}", sum.size(), count));
    }
    for (std::size_t i = 0; i < own_shards.size(); ++i) {
        if (own_shards[i].size() == count) continue;
        throw std::invalid_argument(
            fmt::format("gradient {} of the own shards has {} elements instead of {}", i,
                        own_shards[i].size(), count));
    }
}

}  // namespace lockstep::trainer
