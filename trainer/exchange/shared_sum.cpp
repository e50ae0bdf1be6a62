#include "trainer/exchange/shared_sum.hpp"

#include <algorithm>
#include <new>

#include "trainer/exchange/sum_in_shard_order.hpp"

namespace lockstep::trainer {

std::size_t SharedSum::Layout::bytes() const {
    return static_cast<std::size_t>(ranks) * sizeof(Progress) + count * sizeof(float);
}

SharedSum::SharedSum(std::span<std::byte> memory, const Layout& layout, int rank)
    : rank_(rank),
      ranks_(layout.ranks),
      count_(layout.count),
      chunk_size_(round_up_to_line(std::clamp<std::size_t>(layout.chunk_size, 1, count_ + 1))),
      chunks_((count_ + chunk_size_ - 1) / chunk_size_),
      copied_(chunks_) {
    const auto ranks = static_cast<std::size_t>(ranks_);
    progress_ = {reinterpret_cast<Progress*>(memory.data()), ranks};
    shared_sum_ = {reinterpret_cast<float*>(memory.data() + ranks * sizeof(Progress)), count_};
    new (&own_progress()) Progress;
}

void SharedSum::begin(ShardGradients own_shards, std::span<float> sum) {
    own_shards_ = own_shards;
    sum_ = sum;
    added_ = 0;
    copied_ = 0;
    if (is_finished()) tell_finished_sum();
}

bool SharedSum::advance() {
    if (added_ < chunks_ && is_own_turn(added_)) {
        add_chunk(added_++);
        return true;
    }
    if (copied_ < chunks_ && has_finished(copied_)) {
        copy_chunk(copied_++);
        if (is_finished()) tell_finished_sum();
        return true;
    }
    return false;
}

// A chunk is this rank's once the rank before it has added its shards. Rank 0 begins it, when no
// rank still reads the last sum.
bool SharedSum::is_own_turn(std::size_t index) const {
    if (rank_ == 0) return index > 0 || everyone_has_the_last_sum();
    return has_added(rank_ - 1, index);
}

bool SharedSum::everyone_has_the_last_sum() const {
    return std::all_of(progress_.begin(), progress_.end(), [this](const Progress& progress) {
        return progress.sums_finished.load(std::memory_order_acquire) == sums_;
    });
}

bool SharedSum::has_finished(std::size_t index) const { return has_added(ranks_ - 1, index); }

bool SharedSum::has_added(int rank, std::size_t index) const {
    const Progress& progress = progress_[static_cast<std::size_t>(rank)];
    return progress.chunks_added.load(std::memory_order_acquire) > sums_ * chunks_ + index;
}

void SharedSum::add_chunk(std::size_t index) {
    const std::span<float> chunk = chunk_of(shared_sum_, index);
    if (rank_ == 0) {
        begin_in_shard_order(own_shards_, index * chunk_size_, chunk);
    } else {
        add_in_shard_order(chunk, own_shards_, index * chunk_size_, chunk);
    }
    own_progress().chunks_added.store(sums_ * chunks_ + index + 1, std::memory_order_release);
}

void SharedSum::copy_chunk(std::size_t index) {
    std::ranges::copy(chunk_of(shared_sum_, index), chunk_of(sum_, index).begin());
}

void SharedSum::tell_finished_sum() {
    ++sums_;
    own_progress().sums_finished.store(sums_, std::memory_order_release);
}

std::span<float> SharedSum::chunk_of(std::span<float> buffer, std::size_t index) const {
    const std::size_t first = index * chunk_size_;
    return buffer.subspan(first, std::min(chunk_size_, count_ - first));
}

}  // namespace lockstep::trainer
