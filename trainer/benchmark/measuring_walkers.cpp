#include "trainer/benchmark/measuring_walkers.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep::trainer {

namespace {

bool ranks_meet_in(const PlannedStep& call) { return call.work->work.extent == Extent::batch; }

// The bytes of a buffer that calls of `work` have to do with: of all its shards, or its own; none
// of one that has no place.
std::vector<std::span<std::byte>> bytes_of(const Buffer& buffer, const Work& work,
                                           const BatchGeometry& geometry) {
    if (buffer.data() == nullptr) return {};
    auto* const begin = reinterpret_cast<std::byte*>(buffer.data());
    const std::size_t bytes = buffer.size().bytes;
    if (buffer.size().is_fixed) return {{begin, bytes}};
    if (work.extent != Extent::shard)
        return {{begin, static_cast<std::size_t>(geometry.samples) * bytes}};
    std::vector<std::span<std::byte>> result;
    for (std::size_t shard = 0; shard < geometry.shards.size(); ++shard) {
        const auto samples = static_cast<std::size_t>(geometry.shards[shard].count);
        result.push_back({buffer.bytes_of_shard(shard), samples * bytes});
    }
    return result;
}

// Whether none of those behind the first belongs to the same piece.
bool is_last_of_its_work(std::span<const PlannedStep> calls) {
    return std::ranges::none_of(calls.subspan(1), [&](const PlannedStep& later) {
        return later.work == calls.front().work;
    });
}

bool overlap(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

// Bytes as they were, of which some are put back.
class KeptBytes {
public:
    void keep(std::span<std::byte> place) {
        kept_.push_back({place, {place.begin(), place.end()}});
    }
    void put_back() const {
        for (const Kept& kept : kept_)
            std::memcpy(kept.place.data(), kept.copy.data(), kept.copy.size());
    }

private:
    struct Kept {
        std::span<std::byte> place;
        std::vector<std::byte> copy;
    };
    std::vector<Kept> kept_;
};

// Its results but for gradients, which lie in no buffer.
KeptBytes written_by(const Work& work, const BatchGeometry& geometry) {
    KeptBytes result;
    for (const Buffer* written : work.writes)
        for (const auto bytes : bytes_of(*written, work, geometry)) result.keep(bytes);
    return result;
}

// What it reads and writes over.
KeptBytes changed_by(const Work& work, const BatchGeometry& geometry) {
    KeptBytes result;
    for (const Buffer* read : work.reads)
        for (const auto bytes : bytes_of(*read, work, geometry)) {
            const bool is_changed = std::ranges::any_of(work.writes, [&](const Buffer* written) {
                return std::ranges::any_of(bytes_of(*written, work, geometry),
                                           [&](auto other) { return overlap(bytes, other); });
            });
            if (is_changed) result.keep(bytes);
        }
    return result;
}

}  // namespace

void ClockedWalker::walk(std::span<const PlannedStep> calls, const StepContext& context) {
    const std::span<double> times = times_.next_pass();
    Stretch& pass = passes_[times_.is_backward() ? 1 : 0];
    auto last = BenchmarkClock::now();
    pass.begin = last;
    for (std::size_t i = 0; i < calls.size(); ++i) {
        if (comm_ != nullptr && ranks_meet_in(calls[i])) {
            comm_->barrier();
            last = BenchmarkClock::now();
        }
        calls[i].work->work.run(context, calls[i].shard);
        const auto now = BenchmarkClock::now();
        times[i] += seconds(now - last);
        last = now;
    }
    if (comm_ != nullptr && times_.is_backward()) {
        comm_->barrier();
        last = BenchmarkClock::now();
    }
    pass.end = last;
}

void AloneWalker::walk(std::span<const PlannedStep> calls, const StepContext& context) {
    const std::span<double> times = times_.next_pass();
    for (std::size_t i = 0; i < calls.size(); ++i) {
        const Work& work = calls[i].work->work;
        work.run(context, calls[i].shard);
        // With its last shard a piece has made all that it reads or writes.
        if (!ranks_meet_in(calls[i]) && is_last_of_its_work(calls.subspan(i)))
            times[i] += seconds_alone(work, context);
    }
}

double AloneWalker::seconds_alone(const Work& work, const StepContext& context) {
    const std::size_t shards = work.extent == Extent::shard ? geometry_.shards.size() : 1;
    KeptBytes result = written_by(work, geometry_);
    if (times_.is_backward())
        for (const std::span<float> gradient : gradients_)
            result.keep(std::as_writable_bytes(gradient));
    const KeptBytes before = changed_by(work, geometry_);
    BenchmarkClock::duration time{};
    for (int i = 0; i <= repeats_; ++i) {
        before.put_back();
        const auto start = BenchmarkClock::now();
        for (std::size_t shard = 0; shard < shards; ++shard) work.run(context, shard);
        if (i > 0) time += BenchmarkClock::now() - start;
    }
    result.put_back();
    return seconds(time) / repeats_;
}

}  // namespace lockstep::trainer
