#include "trainer/exchange/shared_window.hpp"

#include <sched.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <new>
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
    const auto ranks = static_cast<std::size_t>(comm.size());
    std::optional<SharedMemory> memory =
        SharedMemory::map(comm, ranks * sizeof(Progress) + count * sizeof(float));
    if (!memory) return nullptr;
    std::unique_ptr<SharedWindow> window(
        new SharedWindow(comm, count, chunk_size, std::move(*memory)));
    comm.barrier();  // every counter is there before anyone looks at it
    return window;
}

SharedWindow::SharedWindow(const Communicator& comm, std::size_t count, std::size_t chunk_size,
                           SharedMemory memory)
    : comm_(comm),
      count_(count),
      chunk_size_(round_up_to_line(std::clamp<std::size_t>(chunk_size, 1, count + 1))),
      chunks_((count + chunk_size_ - 1) / chunk_size_),
      memory_(std::move(memory)) {
    const auto ranks = static_cast<std::size_t>(comm.size());
    const std::span<std::byte> bytes = memory_.bytes();
    progress_ = {reinterpret_cast<Progress*>(bytes.data()), ranks};
    shared_sum_ = {reinterpret_cast<float*>(bytes.data() + ranks * sizeof(Progress)), count};
    new (&own_progress()) Progress;
}

void SharedWindow::sum_shards(std::span<const std::span<const float>> own_shards,
                              std::span<float> sum) {
    require_lengths(own_shards, sum, count_);
    if (comm_.size() == 1) return sum_in_shard_order(own_shards, sum);
    Patience patience(comm_);
    std::size_t added = 0;
    std::size_t copied = 0;
    while (copied < chunks_) {
        if (added < chunks_ && is_own_turn(added)) {
            add_chunk(added++, own_shards);
        } else if (is_finished(copied)) {
            copy_chunk(copied++, sum);
        } else {
            patience.wait_a_moment();
            continue;
        }
        patience.refill();
    }
    ++sums_;
    own_progress().sums_finished.store(sums_, std::memory_order_release);
}

// A chunk is this rank's once the rank before it has added its shards. Rank 0 begins it, when no
// rank still reads the last sum.
bool SharedWindow::is_own_turn(std::size_t index) const {
    if (comm_.rank() == 0) return index > 0 || everyone_has_the_last_sum();
    return has_added(comm_.rank() - 1, index);
}

bool SharedWindow::everyone_has_the_last_sum() const {
    return std::all_of(progress_.begin(), progress_.end(), [this](const Progress& progress) {
        return progress.sums_finished.load(std::memory_order_acquire) == sums_;
    });
}

bool SharedWindow::is_finished(std::size_t index) const {
    return has_added(comm_.size() - 1, index);
}

bool SharedWindow::has_added(int rank, std::size_t index) const {
    const Progress& progress = progress_[static_cast<std::size_t>(rank)];
    return progress.chunks_added.load(std::memory_order_acquire) > sums_ * chunks_ + index;
}

void SharedWindow::add_chunk(std::size_t index,
                             std::span<const std::span<const float>> own_shards) {
    const std::span<float> chunk = chunk_of(shared_sum_, index);
    if (comm_.rank() == 0) {
        begin_in_shard_order(own_shards, index * chunk_size_, chunk);
    } else {
        add_in_shard_order(chunk, own_shards, index * chunk_size_, chunk);
    }
    own_progress().chunks_added.store(sums_ * chunks_ + index + 1, std::memory_order_release);
}

void SharedWindow::copy_chunk(std::size_t index, std::span<float> sum) const {
    std::ranges::copy(chunk_of(shared_sum_, index), chunk_of(sum, index).begin());
}

std::span<float> SharedWindow::chunk_of(std::span<float> buffer, std::size_t index) const {
    const std::size_t first = index * chunk_size_;
    return buffer.subspan(first, std::min(chunk_size_, count_ - first));
}

}  // namespace lockstep::trainer
