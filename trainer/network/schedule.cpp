#include "trainer/network/schedule.hpp"

#include <algorithm>

namespace lockstep::trainer {

namespace {

// What the fixed buffers of one run may take: weights that its shards read again and again should
// stay in the L2 cache, or nearly so.
constexpr std::size_t kMostFixedBytes = std::size_t{1} << 20;

bool goes_by_shards(const Work& work) {
    return work.extent == Extent::shard || work.extent == Extent::prepare;
}

std::size_t fixed_bytes(const Work& work) {
    std::size_t bytes = 0;
    for (const Buffer* buffer : work.writes)
        if (buffer->size().is_fixed) bytes += buffer->size().bytes;
    return bytes;
}

bool writes(const Work& work, const Buffer* buffer) {
    return std::ranges::find(work.writes, buffer) != work.writes.end();
}

}  // namespace

std::size_t assign_runs(std::span<PlannedWork> works, std::size_t first) {
    std::size_t run = first, fixed = 0;
    for (std::size_t i = 0; i < works.size(); ++i) {
        const Work& work = works[i].work;
        if (i > 0) {
            const bool continues = goes_by_shards(work) && goes_by_shards(works[i - 1].work);
            const bool is_full = work.extent == Extent::prepare && fixed > 0 &&
                                 fixed + fixed_bytes(work) > kMostFixedBytes;
            if (!continues || is_full) ++run, fixed = 0;
        }
        if (work.extent == Extent::prepare) fixed += fixed_bytes(work);
        works[i].run = run;
    }
    return run + 1;
}

std::vector<PlannedStep> flatten_runs(std::span<const PlannedWork> works, std::size_t shards) {
    std::vector<PlannedStep> steps;
    const auto end = works.size();
    for (std::size_t begin = 0, next = 0; begin < end; begin = next) {
        while (next < end && works[next].run == works[begin].run) ++next;
        const auto run = works.subspan(begin, next - begin);
        for (const PlannedWork& work : run)
            if (work.work.extent != Extent::shard) steps.push_back({&work, 0});
        for (std::size_t shard = 0; shard < shards; ++shard)
            for (const PlannedWork& work : run)
                if (work.work.extent == Extent::shard) steps.push_back({&work, shard});
    }
    return steps;
}

void repeat_cheap_work(std::span<const PlannedWork> forward, std::vector<PlannedWork>& backward) {
    // From the back: a copy may read what another repeatable piece makes.
    for (std::size_t i = forward.size(); i-- > 0;) {
        const PlannedWork& cheap = forward[i];
        if (!cheap.work.is_repeatable) continue;
        const auto reader = std::ranges::find_if(backward, [&](const PlannedWork& work) {
            return std::ranges::any_of(
                work.work.reads, [&](const Buffer* buffer) { return writes(cheap.work, buffer); });
        });
        if (reader == backward.end()) continue;
        PlannedWork copy = cheap;
        copy.is_backward = true;
        backward.insert(reader, std::move(copy));
    }
}

}  // namespace lockstep::trainer
