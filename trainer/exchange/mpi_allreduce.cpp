#include "trainer/exchange/mpi_allreduce.hpp"

#include <algorithm>

#include "liveness/pulse.hpp"
#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/hop.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {

MpiAllreduce::MpiAllreduce(const Communicator& comm, std::size_t count)
    : comm_(comm), count_(count) {
    require_equal_on_all_ranks(comm, count, "lengths of the gradient");
}

void MpiAllreduce::sum_shards(std::span<const std::span<const float>> own_shards,
                              std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    const bool is_one = own_shards.size() == 1;  // summed where it lies, without a copy before
    if (!is_one || comm_.size() == 1) sum_in_shard_order(own_shards, sum);
    if (comm_.size() == 1) return;
    const liveness::Waiting waiting;
    constexpr std::size_t kMaxCount = std::size_t{1} << 30;
    for (std::size_t first = 0; first < count_; first += kMaxCount) {
        const std::span<float> part = sum.subspan(first, std::min(count_ - first, kMaxCount));
        pass_hop();
        const void* own = is_one ? own_shards.front().data() + first : MPI_IN_PLACE;
        check_mpi(MPI_Allreduce(own, part.data(), static_cast<int>(part.size()), MPI_FLOAT, MPI_SUM,
                                comm_.handle()),
                  "MPI_Allreduce");
        pass_hop();
    }
}

}  // namespace lockstep::trainer
