// The order of work in a step: runs that go shard by shard, and what is done once more.
#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/network/schedule.hpp"

using namespace lockstep::trainer;

namespace {

using Calls = std::vector<std::pair<std::string, std::size_t>>;  // what, shard

PlannedWork piece(const char* what, Extent extent, std::vector<Buffer*> reads = {},
                  std::vector<Buffer*> writes = {}) {
    return {.work = {.what = what,
                     .extent = extent,
                     .reads = std::move(reads),
                     .writes = std::move(writes),
                     .run = {}}};
}

PlannedWork repeatable(const char* what, std::vector<Buffer*> reads, std::vector<Buffer*> writes) {
    PlannedWork work = piece(what, Extent::shard, std::move(reads), std::move(writes));
    work.work.is_repeatable = true;
    return work;
}

Calls calls(std::vector<PlannedWork> works, std::size_t shards) {
    assign_runs(works, 0);
    Calls calls;
    for (const PlannedStep& step : flatten_runs(works, shards))
        calls.emplace_back(step.work->work.what, step.shard);
    return calls;
}

std::vector<std::size_t> runs(std::vector<PlannedWork> works, std::size_t first = 0) {
    assign_runs(works, first);
    std::vector<std::size_t> runs;
    for (const PlannedWork& work : works) runs.push_back(work.run);
    return runs;
}

std::vector<std::string> names(const std::vector<PlannedWork>& works) {
    std::vector<std::string> names;
    for (const PlannedWork& work : works) names.emplace_back(work.work.what);
    return names;
}

const std::vector<PlannedWork>& mixed() {
    static const std::vector<PlannedWork> works{
        piece("a", Extent::shard),  piece("b", Extent::prepare), piece("c", Extent::shard),
        piece("d", Extent::rank),   piece("e", Extent::batch),   piece("f", Extent::shard),
        piece("g", Extent::prepare)};
    return works;
}

}  // namespace

TEST_CASE("a run goes shard by shard, behind what it prepares", "[trainer][plan]") {
    CHECK(calls(mixed(), 2) == Calls{{"b", 0},
                                     {"a", 0},
                                     {"c", 0},
                                     {"a", 1},
                                     {"c", 1},
                                     {"d", 0},
                                     {"e", 0},
                                     {"g", 0},
                                     {"f", 0},
                                     {"f", 1}});
    CHECK(calls(mixed(), 1) ==
          Calls{{"b", 0}, {"a", 0}, {"c", 0}, {"d", 0}, {"e", 0}, {"g", 0}, {"f", 0}});
}

TEST_CASE("a rank without shards does what is done once, and meets the others", "[trainer][plan]") {
    CHECK(calls(mixed(), 0) == Calls{{"b", 0}, {"d", 0}, {"e", 0}, {"g", 0}});
    CHECK(calls({}, 0).empty());
    CHECK(calls({}, 3).empty());
}

TEST_CASE("pieces for all samples are runs of their own", "[trainer][plan]") {
    CHECK(runs(mixed()) == std::vector<std::size_t>{0, 0, 0, 1, 2, 3, 3});
    CHECK(runs({piece("a", Extent::rank), piece("b", Extent::rank), piece("c", Extent::batch)}) ==
          std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("runs are numbered from where the caller says", "[trainer][plan]") {
    std::vector<PlannedWork> works = mixed();
    CHECK(assign_runs(works, 7) == 11);
    CHECK(works.front().run == 7);
    CHECK(works.back().run == 10);
}

TEST_CASE("weights that would not stay in the cache begin a run", "[trainer][plan]") {
    constexpr std::size_t kHalf = (std::size_t{1} << 19) / sizeof(float);
    const auto runs_of = [](std::size_t first, std::size_t second, std::size_t third) {
        std::deque<Buffer> buffers;
        std::vector<PlannedWork> works;
        for (const std::size_t floats : {first, second, third}) {
            Buffer& weights = buffers.emplace_back(Buffer::Size::of_all(floats));
            works.push_back(piece("prepare", Extent::prepare, {}, {&weights}));
            works.push_back(piece("product", Extent::shard, {&weights}));
        }
        return runs(works);
    };
    using Runs = std::vector<std::size_t>;
    CHECK(runs_of(kHalf, kHalf - 1, 1) == Runs{0, 0, 0, 0, 0, 0});
    CHECK(runs_of(kHalf, kHalf, 1) == Runs{0, 0, 0, 0, 1, 1});
    CHECK(runs_of(kHalf, kHalf + 1, kHalf - 1) == Runs{0, 0, 1, 1, 1, 1});
    CHECK(runs_of(kHalf, kHalf + 1, kHalf) == Runs{0, 0, 1, 1, 2, 2});
    // What is too large by itself is a run all the same, and not an empty one before it.
    CHECK(runs_of(4 * kHalf, 1, 4 * kHalf) == Runs{0, 0, 1, 1, 2, 2});
}

TEST_CASE("only weights count as such: not samples, nor what shards add up", "[trainer][plan]") {
    constexpr std::size_t kMuch = std::size_t{1} << 20;
    Buffer samples(Buffer::Size::of_samples(kMuch)), sums(Buffer::Size::of_all(kMuch)),
        weights(Buffer::Size::of_all(1));
    CHECK(runs({piece("prepare", Extent::prepare, {}, {&weights}),
                piece("values", Extent::shard, {}, {&samples}),
                piece("sums", Extent::shard, {}, {&sums}),
                piece("prepare", Extent::prepare, {}, {&weights})}) ==
          std::vector<std::size_t>{0, 0, 0, 0});
}

TEST_CASE("cheap work is done again once, in front of its first reader", "[trainer][plan]") {
    Buffer src(Buffer::Size::of_samples(1)), dst(Buffer::Size::of_samples(1)),
        kept(Buffer::Size::of_samples(1)), diff(Buffer::Size::of_samples(1));
    const std::vector<PlannedWork> forward{piece("conv", Extent::shard, {}, {&src}),
                                           repeatable("norm", {&src}, {&dst, &kept})};
    std::vector<PlannedWork> backward{piece("reads neither", Extent::shard, {&diff, &src}),
                                      piece("reads kept", Extent::shard, {&diff, &kept}),
                                      piece("reads dst", Extent::rank, {&dst})};
    repeat_cheap_work(forward, backward);
    CHECK(names(backward) ==
          std::vector<std::string>{"reads neither", "norm", "reads kept", "reads dst"});
    CHECK(backward[1].is_backward);
    CHECK(backward[1].work.reads == std::vector<Buffer*>{&src});
    CHECK(backward[1].work.writes == std::vector<Buffer*>{&dst, &kept});
}

TEST_CASE("work that nobody reads, or that is not cheap, is not done again", "[trainer][plan]") {
    Buffer src(Buffer::Size::of_samples(1)), dst(Buffer::Size::of_samples(1));
    std::vector<PlannedWork> backward{piece("reads src", Extent::shard, {&src})};
    repeat_cheap_work(
        std::vector{piece("conv", Extent::shard, {}, {&src}), repeatable("norm", {&src}, {&dst})},
        backward);
    CHECK(names(backward) == std::vector<std::string>{"reads src"});
    backward.clear();
    repeat_cheap_work(std::vector{repeatable("norm", {&src}, {&dst})}, backward);
    CHECK(backward.empty());
}

TEST_CASE("cheap work that reads cheap work is done again behind it", "[trainer][plan]") {
    Buffer src(Buffer::Size::of_samples(1)), norm(Buffer::Size::of_samples(1)),
        sum(Buffer::Size::of_samples(1));
    const std::vector<PlannedWork> forward{repeatable("norm", {&src}, {&norm}),
                                           repeatable("add", {&norm}, {&sum})};
    std::vector<PlannedWork> backward{piece("reads sum", Extent::shard, {&sum}),
                                      piece("reads norm", Extent::shard, {&norm})};
    repeat_cheap_work(forward, backward);
    CHECK(names(backward) == std::vector<std::string>{"norm", "add", "reads sum", "reads norm"});
}
