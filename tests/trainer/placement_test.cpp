// Where buffers lie: whatever the plan, what is still to be read is not overwritten. Random plans
// are run with work that stamps what it writes and looks for the stamps in what it reads.
#include "trainer/network/placement.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

std::vector<SampleRange> shards_of(const std::vector<int>& counts) {
    std::vector<SampleRange> shards;
    for (int first = 0; const int count : counts) {
        shards.push_back({first, count});
        first += count;
    }
    return shards;
}

struct Plan {
    std::deque<Buffer> buffers;
    std::vector<PlannedWork> works;
    std::vector<SampleRange> shards;
    BufferPool pool;
    std::size_t arena_bytes = 0;

    Buffer& add_buffer(const Buffer::Size& size) { return buffers.emplace_back(size); }
    void add(Extent extent, std::vector<Buffer*> reads, std::vector<Buffer*> writes) {
        works.push_back({.work = {.extent = extent,
                                  .reads = std::move(reads),
                                  .writes = std::move(writes),
                                  .run = {}}});
    }
    int samples() const { return shards.empty() ? 0 : shards.back().first + shards.back().count; }
    void place() {
        assign_runs(works, 0);
        std::vector<const PlannedWork*> line;
        for (const PlannedWork& work : works) line.push_back(&work);
        arena_bytes = place_buffers(buffers, line, samples(), shards, pool);
    }
};

// Runs a plan by stamps; of each buffer and shard (a fixed one: its only part) the last one.
class StampedRun {
public:
    explicit StampedRun(Plan& plan) : plan_(plan) {}

    // Whether every reader found what was written last.
    bool keeps_what_is_read() {
        return std::ranges::all_of(flatten_runs(plan_.works, plan_.shards.size()),
                                   [&](const PlannedStep& step) { return takes(step); });
    }

private:
    struct Part {
        const Buffer* buffer;
        std::size_t shard;
        auto operator<=>(const Part&) const = default;
    };

    std::span<std::uint32_t> words(const Part& part) const {
        const Buffer::Size& size = part.buffer->size();
        const auto count = size.is_fixed ? std::size_t{1}
                                         : static_cast<std::size_t>(plan_.shards[part.shard].count);
        std::byte* const begin = size.is_fixed ? reinterpret_cast<std::byte*>(part.buffer->data())
                                               : part.buffer->bytes_of_shard(part.shard);
        return {reinterpret_cast<std::uint32_t*>(begin),
                size.bytes * count / sizeof(std::uint32_t)};
    }
    // What of a buffer a step sees.
    std::vector<Part> parts(const Buffer* buffer, const PlannedStep& step) const {
        if (buffer->size().is_fixed) return {{buffer, 0}};
        if (step.work->work.extent == Extent::shard) return {{buffer, step.shard}};
        std::vector<Part> all;
        for (std::size_t shard = 0; shard < plan_.shards.size(); ++shard)
            all.push_back({buffer, shard});
        return all;
    }
    bool hold_their_stamps(const std::vector<Buffer*>& buffers, const PlannedStep& step) const {
        for (const Buffer* buffer : buffers)
            for (const Part& part : parts(buffer, step)) {
                const auto stamp = stamps_.find(part);
                if (stamp == stamps_.end()) continue;  // of a rank without shards
                if (std::ranges::any_of(words(part),
                                        [&](std::uint32_t word) { return word != stamp->second; }))
                    return false;
            }
        return true;
    }
    // What is fixed may be added up by shards: what one of them wrote is there for the next.
    bool keeps_sums(const PlannedStep& step) const {
        if (step.work->work.extent != Extent::shard || step.shard == 0) return true;
        std::vector<Buffer*> sums = step.work->work.writes;
        std::erase_if(sums, [](const Buffer* buffer) { return !buffer->size().is_fixed; });
        return hold_their_stamps(sums, step);
    }
    bool takes(const PlannedStep& step) {
        const Work& work = step.work->work;
        if (!hold_their_stamps(work.reads, step) || !keeps_sums(step)) return false;
        for (const Buffer* buffer : work.writes)
            for (const Part& part : parts(buffer, step))
                std::ranges::fill(words(part), stamps_[part] = ++last_stamp_);
        // Nothing that the work reads may lie where it writes, nor two that it writes.
        std::vector<Buffer*> reads = work.reads;
        std::erase(reads, work.may_overwrite);
        return hold_their_stamps(reads, step) && hold_their_stamps(work.writes, step);
    }

    Plan& plan_;
    std::map<Part, std::uint32_t> stamps_;
    std::uint32_t last_stamp_ = 0;
};

// Work in random order that reads what was written before.
class RandomPlan {
public:
    RandomPlan(std::uint64_t seed, std::vector<SampleRange> shards) : random_(seed) {
        plan.shards = std::move(shards);
        const std::uint32_t works = 1 + random_.below(25);
        for (std::uint32_t i = 0; i < works; ++i) add_work();
        plan.place();
    }
    Plan plan;

private:
    void add_work() {
        const Extent extent =
            std::array{Extent::shard, Extent::shard, Extent::shard,  Extent::shard,
                       Extent::rank,  Extent::batch, Extent::prepare}[random_.below(7)];
        if (extent == Extent::prepare) {  // reads parameters alone, writes what no one else writes
            Buffer& weights = plan.add_buffer(size(true));
            plan.add(extent, {}, {&weights});
            written_.push_back(&weights);
            return;
        }
        std::vector<Buffer*> reads, writes;
        for (std::uint32_t i = random_.below(4); i > 0 && !written_.empty(); --i)
            reads.push_back(written_[random_.below(static_cast<std::uint32_t>(written_.size()))]);
        for (std::uint32_t i = random_.below(3); i > 0; --i) writes.push_back(&any_buffer());
        if (!reads.empty() && random_.below(4) == 0) writes.push_back(reads.front());  // in place
        Buffer* over = nullptr;
        if (!reads.empty() && writes.empty() && random_.below(2) == 0) {
            over = reads.front();
            writes.push_back(&plan.add_buffer(over->size()));
        }
        plan.add(extent, reads, writes);
        plan.works.back().work.may_overwrite = over;
        for (Buffer* buffer : writes)
            if (std::ranges::find(written_, buffer) == written_.end()) written_.push_back(buffer);
    }
    // One that stands in the plan already, or a new one.
    Buffer& any_buffer() {
        const auto count = static_cast<std::uint32_t>(plan.buffers.size());
        if (count > 0 && random_.below(3) == 0) {
            Buffer& buffer = plan.buffers[random_.below(count)];
            if (!is_prepared(buffer)) return buffer;
        }
        return plan.add_buffer(size(random_.below(5) == 0));
    }
    bool is_prepared(const Buffer& buffer) const {
        return std::ranges::any_of(plan.works, [&](const PlannedWork& work) {
            return work.work.extent == Extent::prepare && work.work.writes.front() == &buffer;
        });
    }
    Buffer::Size size(bool is_fixed) {
        // Now and then weights of which two do not fit into one run.
        const std::size_t floats =
            is_fixed && random_.below(3) == 0 ? 150'000 : 1 + random_.below(90);
        return is_fixed ? Buffer::Size::of_all(floats) : Buffer::Size::of_samples(floats);
    }

    RandomValues random_;
    std::vector<Buffer*> written_;
};

bool lies_in_arena(const Buffer& buffer, Plan& plan, std::size_t shard) {
    const std::byte* const arena = plan.pool.reserve(1);
    const auto count = buffer.size().is_fixed ? 1 : plan.shards[shard].count;
    const std::byte* const begin = buffer.bytes_of_shard(shard);
    return begin >= arena && begin + buffer.size().bytes * static_cast<std::size_t>(count) <=
                                 arena + plan.arena_bytes;
}

bool is_used(const Buffer& buffer, const Plan& plan) {
    return std::ranges::any_of(plan.works, [&](const PlannedWork& work) {
        return std::ranges::find(work.work.reads, &buffer) != work.work.reads.end() ||
               std::ranges::find(work.work.writes, &buffer) != work.work.writes.end();
    });
}

}  // namespace

TEST_CASE("no buffer is overwritten while it lives, whatever the plan", "[trainer][plan]") {
    for (const std::vector<int>& counts :
         {std::vector<int>{}, {1}, {5}, {2, 1}, {3, 2, 2}, {4, 4, 3, 3, 3}})
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            CAPTURE(seed, counts);
            RandomPlan random(seed, shards_of(counts));
            const bool keeps = StampedRun(random.plan).keeps_what_is_read();
            CHECK(keeps);
            if (!keeps) return;
        }
}

TEST_CASE("every buffer lies in the arena, on a cache line", "[trainer][plan]") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        CAPTURE(seed);
        RandomPlan random(seed, shards_of({3, 2, 2}));
        Plan& plan = random.plan;
        for (const Buffer& buffer : plan.buffers) {
            if (!is_used(buffer, plan)) continue;
            CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % kAlignment == 0);
            for (std::size_t shard = 0; shard < plan.shards.size(); ++shard)
                CHECK(lies_in_arena(buffer, plan, shard));
        }
    }
}

TEST_CASE("what lives in one run holds one shard, all else every sample", "[trainer][plan]") {
    Plan plan;
    plan.shards = shards_of({3, 2, 2});
    Buffer& in_run = plan.add_buffer(Buffer::Size::of_samples(16));
    Buffer& in_two_runs = plan.add_buffer(Buffer::Size::of_samples(16));
    Buffer& for_rank = plan.add_buffer(Buffer::Size::of_samples(16));
    Buffer& in_run_again = plan.add_buffer(Buffer::Size::of_samples(16));
    Buffer& fixed = plan.add_buffer(Buffer::Size::of_all(16));
    plan.add(Extent::prepare, {}, {&fixed});
    plan.add(Extent::shard, {}, {&in_run, &in_two_runs, &for_rank, &in_run_again});
    plan.add(Extent::shard, {&in_run, &fixed, &in_run_again}, {});
    plan.add(Extent::rank, {&for_rank}, {});
    plan.add(Extent::shard, {&in_two_runs}, {&in_run_again});
    plan.add(Extent::shard, {&in_run_again}, {});
    plan.place();
    const auto stride = [](const Buffer& buffer) {
        return buffer.bytes_of_shard(2) - buffer.bytes_of_shard(1);
    };
    CHECK(in_run.of_shard(0) == in_run.of_shard(1));
    CHECK(stride(in_run) == 0);
    CHECK(stride(in_run_again) == 0);
    CHECK(stride(fixed) == 0);
    for (const Buffer* buffer : {&in_two_runs, &for_rank}) {
        CHECK(buffer->data() == buffer->of_shard(0));
        CHECK(buffer->of_shard(1) == buffer->of_shard(0) + std::ptrdiff_t{3} * 16);
        CHECK(buffer->of_shard(2) == buffer->of_shard(0) + std::ptrdiff_t{5} * 16);
    }
    CHECK(StampedRun(plan).keeps_what_is_read());
}

TEST_CASE("a chain takes the memory of two of its values at a time", "[trainer][plan]") {
    for (const Extent extent : {Extent::shard, Extent::rank}) {
        constexpr int kWorks = 12;
        constexpr std::size_t kFloats = 1000;
        Plan plan;
        plan.shards = shards_of({2, 2});
        Buffer* last = nullptr;
        for (int i = 0; i < kWorks; ++i) {
            Buffer& next = plan.add_buffer(Buffer::Size::of_samples(kFloats));
            plan.add(extent, last == nullptr ? std::vector<Buffer*>{} : std::vector{last}, {&next});
            last = &next;
        }
        plan.place();
        const std::size_t held = (extent == Extent::shard ? 2 : 4) * kFloats * sizeof(float);
        CHECK(plan.arena_bytes >= 2 * held);
        CHECK(plan.arena_bytes <= 2 * held + 4 * kAlignment);
        CHECK(StampedRun(plan).keeps_what_is_read());
    }
}

TEST_CASE("what may be written over its source is, if nobody reads this later", "[trainer][plan]") {
    for (const bool is_read_later : {false, true}) {
        Plan plan;
        plan.shards = shards_of({3, 2});
        Buffer& src = plan.add_buffer(Buffer::Size::of_samples(8));
        Buffer& dst = plan.add_buffer(Buffer::Size::of_samples(8));
        plan.add(Extent::rank, {}, {&src});
        plan.add(Extent::shard, {&src}, {&dst});
        plan.works.back().work.may_overwrite = &src;
        plan.add(Extent::rank, {&dst}, {});
        if (is_read_later) plan.add(Extent::rank, {&src}, {});
        plan.place();
        CHECK((src.data() == dst.data()) == !is_read_later);
        CHECK(StampedRun(plan).keeps_what_is_read());
    }
}

TEST_CASE("plans of one network take turns in the memory of the largest", "[trainer][plan]") {
    BufferPool pool;
    std::byte* const large = pool.reserve(1000);
    CHECK(pool.reserve(1) == large);
    CHECK(pool.reserve(1000) == large);
    std::byte* const larger = pool.reserve(1001);
    CHECK(larger != large);
    CHECK(pool.reserve(1001) == larger);
    CHECK(pool.reserve(1000) == large);
}
