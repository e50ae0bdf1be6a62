#include "trainer/exchange/mpi_allreduce.hpp"

#include <algorithm>

#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {

MpiAllreduce::MpiAllreduce(const Communicator& comm, std::size_t count)
    : comm_(comm), count_(count) {
    require_equal_on_all_ranks(comm, count, "lengths of the gradient");
}

void MpiAllreduce::sum_shards(std::span<const std::span<const float>> own_shards,
                              std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    sum_in_shard_order(own_shards, sum);
    if (comm_.size() == 1) return;
    constexpr std::size_t kMaxCount = std::size_t{1} << 30;
    while (!sum.empty()) {
        const std::span<float> part = sum.first(std::min(sum.size(), kMaxCount));
        check_mpi(MPI_Allreduce(MPI_IN_PLACE, part.data(), static_cast<int>(part.size()), MPI_FLOAT,
                                MPI_SUM, comm_.handle()),
                  "MPI_Allreduce");
        sum = sum.subspan(part.size());
    }
}

}  // namespace lockstep::trainer
