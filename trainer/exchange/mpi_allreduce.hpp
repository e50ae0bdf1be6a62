#pragma once

// MPI_Allreduce, to compare with: each rank adds up its own shards, the library adds the ranks.
//
// The order of the ranks' terms is the library's business: it depends on the number of ranks, on
// the length and on the library's version, and the bits with it.
//
// Cost: whatever the library picks. Open MPI takes Rabenseifner's halving and doubling or a ring
// for long buffers: 2(P-1)/P x count floats over each link.

#include <cstddef>
#include <span>

#include "trainer/exchange/allreduce.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

class MpiAllreduce : public Allreduce {
public:
    // Collective. The communicator must outlive this object.
    // Throws CommError, on every rank, if the ranks were given different counts.
    MpiAllreduce(const Communicator& comm, std::size_t count);

    // As Allreduce::sum_shards(); a count that MPI's int can not express goes in several calls.
    void sum_shards(std::span<const std::span<const float>> own_shards,
                    std::span<float> sum) override;

private:
    const Communicator& comm_;
    std::size_t count_;
};

}  // namespace lockstep::trainer
