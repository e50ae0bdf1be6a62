#include "trainer/network/placement.hpp"

#include <algorithm>
#include <unordered_map>

namespace lockstep::trainer {

std::byte* BufferPool::reserve(std::size_t bytes) {
    for (auto& block : blocks_)
        if (block.size() >= bytes) return reinterpret_cast<std::byte*>(block.data());
    return reinterpret_cast<std::byte*>(blocks_.emplace_back(bytes).data());
}

namespace {

// A cache line between any two: equal distances that are powers of two would send the same place of
// several buffers to the same lines of the cache.
constexpr std::size_t kGap = kAlignment;

struct Interval {  // of numbers of works, both ends included
    std::size_t first, last;
};

struct Life {
    std::vector<Buffer*> buffers;  // in the same place: the first, then what is written over it
    std::vector<Interval> intervals;
    bool holds_one_shard = true;
    std::size_t bytes = 0;
    std::size_t offset = 0;
};

bool has(const std::vector<Buffer*>& list, const Buffer* buffer) {
    return std::ranges::find(list, buffer) != list.end();
}

// A new interval begins where a buffer is written that has been read since it was written last:
// what stood in it is not wanted any more.
class Lives {
public:
    explicit Lives(std::deque<Buffer>& buffers) {
        for (Buffer& buffer : buffers) {
            index_[&buffer] = lives_.size();
            lives_.push_back({.buffers = {&buffer}, .intervals = {}});
            was_read_.push_back(false);
        }
    }
    void write(const Buffer* buffer, std::size_t at) {
        const auto found = index_.find(buffer);
        if (found == index_.end()) return;  // not of the arena
        const std::size_t i = found->second;
        Life& life = lives_[i];
        if (life.intervals.empty() || was_read_[i]) life.intervals.push_back({at, at});
        life.intervals.back().last = at;
        was_read_[i] = false;
    }
    void read(const Buffer* buffer, std::size_t at) {
        const auto found = index_.find(buffer);
        if (found == index_.end()) return;
        const std::size_t i = found->second;
        Life& life = lives_[i];
        if (life.intervals.empty()) life.intervals.push_back({at, at});
        life.intervals.back().last = at;
        was_read_[i] = true;
    }
    // `over` is wanted for the last time where `by` is made: both may lie in one place.
    void join(const Buffer* over, const Buffer* by, std::size_t at) {
        const auto first = index_.find(over), second = index_.find(by);
        if (first == index_.end() || second == index_.end()) return;
        Life &life = lives_[first->second], &next = lives_[second->second];
        // What is fixed is read again with the next shard.
        const bool fits = !over->size().is_fixed && !life.intervals.empty() &&
                          life.intervals.back().last == at && next.intervals.size() == 1 &&
                          next.intervals.front().first == at &&
                          next.buffers.front()->size() == life.buffers.front()->size();
        if (!fits) return;
        life.intervals.back().last = next.intervals.front().last;
        life.buffers.insert(life.buffers.end(), next.buffers.begin(), next.buffers.end());
        next = {};
        for (const Buffer* buffer : life.buffers) index_[buffer] = first->second;
    }
    std::vector<Life>& all() { return lives_; }

private:
    std::unordered_map<const Buffer*, std::size_t> index_;
    std::vector<Life> lives_;
    std::vector<bool> was_read_;
};

std::vector<Life> lives_of(std::deque<Buffer>& buffers, std::span<const PlannedWork* const> works) {
    Lives lives(buffers);
    for (std::size_t at = 0; at < works.size(); ++at) {
        const Work& work = works[at]->work;
        for (const Buffer* buffer : work.reads) lives.read(buffer, at);
        for (const Buffer* buffer : work.writes) {
            if (has(work.reads, buffer))
                lives.read(buffer, at);  // changed in place
            else
                lives.write(buffer, at);
        }
    }
    for (std::size_t at = works.size(); at-- > 0;) {
        const Work& work = works[at]->work;
        if (work.may_overwrite != nullptr) lives.join(work.may_overwrite, work.writes.front(), at);
    }
    return std::move(lives.all());
}

const Buffer::Size& size_of(const Life& life) { return life.buffers.front()->size(); }

bool uses(const Work& work, const Life& life) {
    return std::ranges::any_of(life.buffers, [&](const Buffer* buffer) {
        return has(work.reads, buffer) || has(work.writes, buffer);
    });
}

// Whether each of its intervals lies in one run and is used shard by shard in it.
bool lives_in_runs(const Life& life, std::span<const PlannedWork* const> works) {
    if (size_of(life).is_fixed) return false;
    for (const Interval& interval : life.intervals) {
        if (works[interval.first]->run != works[interval.last]->run) return false;
        for (std::size_t at = interval.first; at <= interval.last; ++at) {
            const Work& work = works[at]->work;
            if (work.extent != Extent::shard && uses(work, life)) return false;
        }
    }
    return true;
}

// What holds more than one shard lives as long as its runs: they begin again with the next shard.
void widen_to_runs(Life& life, std::span<const PlannedWork* const> works) {
    for (Interval& interval : life.intervals) {
        while (interval.first > 0 && works[interval.first - 1]->run == works[interval.first]->run)
            --interval.first;
        while (interval.last + 1 < works.size() &&
               works[interval.last + 1]->run == works[interval.last]->run)
            ++interval.last;
    }
}

bool meet(const Life& a, const Life& b) {
    return std::ranges::any_of(a.intervals, [&](const Interval& x) {
        return std::ranges::any_of(
            b.intervals, [&](const Interval& y) { return x.first <= y.last && y.first <= x.last; });
    });
}

// The lowest offset at which a life fits beside those that are placed.
std::size_t lowest_offset(const Life& life, std::span<const Life* const> placed) {
    std::vector<const Life*> beside;
    for (const Life* other : placed)
        if (meet(life, *other)) beside.push_back(other);
    std::ranges::sort(beside, {}, &Life::offset);
    std::size_t offset = 0;
    for (const Life* other : beside) {
        if (offset + life.bytes + kGap <= other->offset) break;
        offset = std::max(offset, other->offset + other->bytes + kGap);
    }
    return offset;
}

std::size_t round_up(std::size_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::size_t place_buffers(std::deque<Buffer>& buffers, std::span<const PlannedWork* const> works,
                          int samples, std::span<const SampleRange> shards, BufferPool& pool) {
    std::vector<Life> lives = lives_of(buffers, works);
    int largest_shard = 0;
    for (const SampleRange& shard : shards) largest_shard = std::max(largest_shard, shard.count);
    // What no piece uses any more is nowhere.
    for (Life& life : lives)
        for (Buffer* buffer : life.buffers)
            if (life.intervals.empty()) buffer->place(nullptr, shards, true);
    std::erase_if(lives, [](const Life& life) { return life.intervals.empty(); });
    for (Life& life : lives) {
        life.holds_one_shard = lives_in_runs(life, works);
        if (!life.holds_one_shard) widen_to_runs(life, works);
        const Buffer::Size& size = size_of(life);
        const int held = life.holds_one_shard ? largest_shard : samples;
        life.bytes =
            round_up(size.is_fixed ? size.bytes : size.bytes * static_cast<std::size_t>(held));
    }
    std::vector<Life*> by_size;
    for (Life& life : lives) by_size.push_back(&life);
    std::ranges::stable_sort(by_size, std::greater<>{}, &Life::bytes);
    std::vector<const Life*> placed;
    std::size_t end = 0;
    for (Life* life : by_size) {
        life->offset = lowest_offset(*life, placed);
        end = std::max(end, life->offset + life->bytes);
        placed.push_back(life);
    }
    std::byte* const arena = pool.reserve(std::max(end, kAlignment));
    for (const Life& life : lives)
        for (Buffer* buffer : life.buffers)
            buffer->place(arena + life.offset, shards, life.holds_one_shard);
    return end;
}

}  // namespace lockstep::trainer
