#include "trainer/benchmark/measuring_walkers.hpp"

#include <algorithm>
#include <cstring>

namespace lockstep::trainer {

namespace {

bool ranks_meet_in(const PlannedStep& call) { return call.work->work.extent == Extent::batch; }

// The bytes of a buffer that a call has to do with; none of one that has no place.
std::span<std::byte> bytes_of(const Buffer& buffer, const PlannedStep& call,
                              const BatchGeometry& geometry) {
    if (buffer.data() == nullptr) return {};
    const std::size_t bytes = buffer.size().bytes;
    if (buffer.size().is_fixed) return {reinterpret_cast<std::byte*>(buffer.data()), bytes};
    if (call.work->work.extent == Extent::shard) {
        const auto samples = static_cast<std::size_t>(geometry.shards[call.shard].count);
        return {buffer.bytes_of_shard(call.shard), samples * bytes};
    }
    return {reinterpret_cast<std::byte*>(buffer.data()),
            static_cast<std::size_t>(geometry.samples) * bytes};
}

bool overlap(std::span<const std::byte> a, std::span<const std::byte> b) {
    return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

// What a call reads and writes over, as it was before.
class ReadBytes {
public:
    ReadBytes(const PlannedStep& call, const BatchGeometry& geometry) {
        const Work& work = call.work->work;
        for (const Buffer* read : work.reads) {
            const auto bytes = bytes_of(*read, call, geometry);
            const bool is_changed = std::ranges::any_of(work.writes, [&](const Buffer* written) {
                return overlap(bytes, bytes_of(*written, call, geometry));
            });
            if (is_changed) kept_.push_back({bytes, {bytes.begin(), bytes.end()}});
        }
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
        if (ranks_meet_in(calls[i]))
            calls[i].work->work.run(context, calls[i].shard);
        else
            times[i] += seconds_alone(calls[i], context);
    }
}

double AloneWalker::seconds_alone(const PlannedStep& call, const StepContext& context) {
    const ReadBytes before(call, geometry_);
    call.work->work.run(context, call.shard);
    BenchmarkClock::duration time{};
    for (int i = 0; i < repeats_; ++i) {
        before.put_back();
        const auto start = BenchmarkClock::now();
        call.work->work.run(context, call.shard);
        time += BenchmarkClock::now() - start;
    }
    return seconds(time) / repeats_;
}

}  // namespace lockstep::trainer
