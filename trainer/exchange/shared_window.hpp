#pragma once

// The ordered sum inside one node: the buffer stays in shared memory, and the ranks come to it.
//
// The ranks take turns at the chunks of one buffer, without messages: shared_sum.hpp.
//
// Every element is ((0 + g0) + g1) + ... + g(S-1) in float32, as in the ordered ring: the bits are
// the same, on any number of ranks.
//
// Cost: no messages. A rank reads and writes count floats of the shared buffer to add and reads
// them once more to copy; a chunk's way through P ranks fills the pipeline, P x chunk / bandwidth.

#include <cstddef>
#include <memory>
#include <span>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/shared_memory.hpp"
#include "trainer/exchange/shared_sum.hpp"

namespace lockstep::trainer {

class SharedWindow : public Exchange {
public:
    // 32 KiB, by measurement (docs/exchange.md): many in a gradient of 0.5 MB, all of one in a
    // core's first cache, and looking at another rank's counter costs little beside one.
    static constexpr std::size_t kDefaultChunkSize = 8192;

    // Collective. The communicator must outlive the result.
    //   count        elements of the gradient, equal on all ranks; may be 0
    //   chunk_size   elements of a chunk, >= 1, equal on all ranks, rounded up to whole cache lines
    // Returns null, on every rank, if the ranks cannot share memory (see SharedMemory::map).
    // Throws, on every rank
    //   CommError   if the ranks were given different sizes, or a chunk size of 0
    static std::unique_ptr<SharedWindow> make(const Communicator& comm, std::size_t count,
                                              std::size_t chunk_size = kDefaultChunkSize);

    // As Exchange::sum_shards(); allocates nothing. Waits for the other ranks by looking at their
    // counters, and yields the core when that takes long.
    void sum_shards(std::span<const std::span<const float>> own_shards,
                    std::span<float> sum) override;

private:
    SharedWindow(const Communicator& comm, const SharedSum::Layout& layout, SharedMemory memory);

    const Communicator& comm_;
    std::size_t count_;
    SharedMemory memory_;
    SharedSum shared_sum_;  // in memory_
};

}  // namespace lockstep::trainer
