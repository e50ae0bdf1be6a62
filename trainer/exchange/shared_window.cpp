#include "trainer/exchange/shared_window.hpp"

#include <sched.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <optional>
#include <utility>

#include "trainer/exchange/exchange_checks.hpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {
namespace {

// Waits for other ranks: spins as long as they should need, then gives the core away.
class Patience {
public:
    explicit Patience(const Communicator& comm) : comm_(comm) {}

    void wait_a_moment() {
        if (++moments_ < kSpins) return pause();
        // A peer may itself wait for a message that this rank's MPI has not got rid of yet.
        int flag = 0;
        check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_.handle(), &flag, MPI_STATUS_IGNORE),
                  "MPI_Iprobe");
        sched_yield();
    }
    void refill() { moments_ = 0; }

private:
    static constexpr int kSpins = 2000;  // some 20 to 100 microseconds

    static void pause() {
#if defined(__x86_64__)
        _mm_pause();
#endif
    }

    const Communicator& comm_;
    int moments_ = 0;
};

}  // namespace

std::unique_ptr<SharedWindow> SharedWindow::make(const Communicator& comm, std::size_t count,
                                                 std::size_t chunk_size) {
    require_equal_on_all_ranks(comm, count, "lengths of the gradient");
    require_equal_on_all_ranks(comm, chunk_size, "chunk sizes");
    if (chunk_size == 0) throw CommError("a chunk has 1 element or more, not 0");
    const SharedSum::Layout layout{.ranks = comm.size(), .count = count, .chunk_size = chunk_size};
    std::optional<SharedMemory> memory = SharedMemory::map(comm, layout.bytes());
    if (!memory) return nullptr;
    std::unique_ptr<SharedWindow> window(new SharedWindow(comm, layout, std::move(*memory)));
    comm.barrier();  // every counter is there before anyone looks at it
    return window;
}

SharedWindow::SharedWindow(const Communicator& comm, const SharedSum::Layout& layout,
                           SharedMemory memory)
    : comm_(comm),
      count_(layout.count),
      memory_(std::move(memory)),
      shared_sum_(memory_.bytes(), layout, comm.rank()) {}

void SharedWindow::sum_shards(std::span<const std::span<const float>> own_shards,
                              std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    if (comm_.size() == 1) return sum_in_shard_order(own_shards, sum);
    Patience patience(comm_);
    shared_sum_.begin(own_shards, sum);
    while (!shared_sum_.is_finished()) {
        if (shared_sum_.advance()) {
            patience.refill();
        } else {
            patience.wait_a_moment();
        }
    }
}

}  // namespace lockstep::trainer
