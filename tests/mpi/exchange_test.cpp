// Every exchange, from the ranks' subtree sums to updated weights: the ordered ones against a plain
// tree over the shards, to the last bit; the others equal on all ranks.
#include "trainer/exchange/exchange.hpp"

#include <algorithm>
#include <bit>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/mpi/shard_gradients.hpp"
#include "tests/support/catch.hpp"
#include "trainer/determinism/shard_tree.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/exchange/tree_exchange.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

constexpr std::size_t kTail = 16;

struct NamedExchange {
    std::string name;
    bool is_ordered;
    std::unique_ptr<Exchange> exchange;
};

std::vector<NamedExchange> all_exchanges(const Communicator& comm, const ExchangeSetting& setting) {
    std::vector<NamedExchange> all;
    all.push_back({"ordered", true, make_exchange(ExchangeKind::ordered, comm, setting)});
    all.push_back(
        {"ordered messages", true,
         std::make_unique<TreeExchange>(comm, setting, TreeExchange::Transport::messages)});
    all.push_back({"ring", false, make_exchange(ExchangeKind::ring, comm, setting)});
    all.push_back({"mpi", false, make_exchange(ExchangeKind::mpi, comm, setting)});
    return all;
}

// Gradients with a tail of whole numbers, whose sums are exact in every order.
ShardGradients step_gradients(const ExchangeSetting& setting, std::uint32_t step) {
    return {static_cast<std::size_t>(setting.shards), setting.count, step + 1};
}

float tail_element(int shard, std::size_t i) { return static_cast<float>(100 * shard) + float(i); }

// Writes the sums of the own subtrees, as a backward pass does; an idle rank's tail is `wish`.
void write_gradients(Exchange& exchange, const ShardGradients& gradients, int shards, int filled,
                     const Communicator& comm, float wish) {
    const auto subtrees = subtrees_of(shards_of_rank(shards, comm.size(), comm.rank()), filled);
    for (std::size_t k = 0; k < subtrees.size(); ++k) {
        const auto first = static_cast<std::size_t>(subtrees[k].first);
        const auto count = static_cast<std::size_t>(subtrees[k].count);
        const std::vector<float> sum = gradients.node_sum(first, std::bit_ceil(count), filled);
        const std::span<float> gradient = exchange.gradient(k);
        std::ranges::copy(sum, gradient.begin());
        for (std::size_t i = 0; i < kTail; ++i) {
            gradient[sum.size() + i] = 0.0F;
            for (std::size_t shard = first; shard < first + count; ++shard)
                gradient[sum.size() + i] += tail_element(static_cast<int>(shard), i);
        }
    }
    if (subtrees.empty()) std::ranges::fill(exchange.gradient(0).last(kTail), wish);
}

// Subtracts the sum from the weights; on the way remembers which weights it was called for.
class Descent {
public:
    explicit Descent(std::span<float> weights) : weights_(weights), times_(weights.size()) {}
    void operator()(std::size_t first, std::span<const float> sum) {
        for (std::size_t i = 0; i < sum.size(); ++i) {
            weights_[first + i] -= sum[i];
            times_[first + i] += 1.0F;
        }
    }
    std::span<float> times() { return times_; }

private:
    std::span<float> weights_;
    std::vector<float> times_;
};

bool is_equal_on_all_ranks(std::span<const float> values, const Communicator& comm) {
    std::vector<float> root(values.begin(), values.end());
    comm.broadcast(std::as_writable_bytes(std::span(root)));
    return same_bits(root, values);
}

// What went wrong in a step that leaves the weights.
std::string faults_of_sum_alone(const NamedExchange& entry, const std::vector<float>& sum) {
    const std::span<const float> weights = entry.exchange->weights();
    const std::vector<float> before(weights.begin(), weights.end());
    std::vector<float> taken(sum.size(), 0.0F), times = taken;
    entry.exchange->sum_alone([&](std::size_t first, std::span<const float> piece) {
        std::ranges::copy(piece, taken.begin() + static_cast<std::ptrdiff_t>(first));
        for (std::size_t i = 0; i < piece.size(); ++i) times[first + i] += 1.0F;
    });
    if (!same_bits(weights, before)) return "a sum alone changes weights";
    for (std::size_t i = 0; i < sum.size(); ++i)
        if (entry.is_ordered && times[i] == 1.0F && taken[i] != sum[i])
            return "a sum alone is wrong";
    entry.exchange->collect(times);
    return std::ranges::all_of(times, [](float n) { return n == 1.0F; })
               ? ""
               : "not every weight's sum was taken once";
}

// What went wrong with directions, which are here the sums, and then twice them.
std::string faults_of_directions(const NamedExchange& entry, const std::vector<float>& sum,
                                 const Communicator& comm) {
    Exchange& exchange = *entry.exchange;
    const std::span<float> directions = exchange.directions();
    if (directions.size() != sum.size()) return "the directions' length is wrong";
    exchange.visit_sums([&](std::size_t first, std::span<const float> piece) {
        std::ranges::copy(piece, directions.begin() + static_cast<std::ptrdiff_t>(first));
    });
    exchange.collect_directions();
    if (entry.is_ordered && !same_bits(directions, sum)) return "directions are not collected";
    std::vector<Slice> parts;
    for (int rank = 0; rank < comm.size(); ++rank)
        parts.push_back(slice_of(sum.size(), comm.size(), rank));
    const Slice own = parts[static_cast<std::size_t>(comm.rank())];
    std::vector<float> twice(directions.begin(), directions.end());
    for (float& value : twice) value *= 2.0F;
    comm.barrier();  // all have read them
    std::ranges::copy(std::span(twice).subspan(own.first, own.count),
                      directions.begin() + static_cast<std::ptrdiff_t>(own.first));
    exchange.share_directions(parts);
    return same_bits(directions, twice) ? "" : "directions are not shared";
}

// What went wrong in some steps; "" if nothing did.
std::string faults_of(const NamedExchange& entry, const ExchangeSetting& setting,
                      const Communicator& comm) {
    Exchange& exchange = *entry.exchange;
    const std::span<float> weights = exchange.weights();
    std::vector<float> expected(setting.count, 0.0F);
    if (!same_bits(weights, expected)) return "weights do not begin as zeros";
    std::uint32_t step = 0;
    for (const int filled : setting.filled_shards) {
        const ShardGradients gradients = step_gradients(setting, step++);
        const bool wishes =
            comm.rank() == comm.size() - 1 &&
            shards_of_rank(setting.shards, comm.size(), comm.rank()).first >= filled;
        write_gradients(exchange, gradients, setting.shards, filled, comm, wishes ? 7.0F : 0.0F);
        const std::span<const float> tail = exchange.sum_tails(filled);
        const bool has_wish =
            shards_of_rank(setting.shards, comm.size(), comm.size() - 1).first >= filled;
        for (std::size_t i = 0; i < kTail; ++i) {
            float sum = has_wish ? 7.0F : 0.0F;
            for (int shard = 0; shard < filled; ++shard) sum += tail_element(shard, i);
            if (tail[i] != sum) return "the tail's sum is wrong";
        }
        if (tail.size() != kTail) return "the tail's length is wrong";
        const std::vector<float> sum = gradients.tree_sum(static_cast<std::size_t>(filled));
        if (step == 2) {
            const std::string fault = faults_of_sum_alone(entry, sum);
            if (!fault.empty()) return fault;
            continue;
        }
        std::vector<float> visited(setting.count, 0.0F), visits = visited;
        if (setting.keeps_sums && step != 4)
            exchange.visit_sums([&](std::size_t first, std::span<const float> piece) {
                std::ranges::copy(piece, visited.begin() + static_cast<std::ptrdiff_t>(first));
                for (std::size_t i = 0; i < piece.size(); ++i) visits[first + i] += 1.0F;
            });
        if (setting.has_directions) {
            const std::string fault = faults_of_directions(entry, sum, comm);
            if (!fault.empty()) return fault;
        }
        Descent descent(weights);
        exchange.sum_and_update(std::ref(descent));
        for (std::size_t i = 0; i < sum.size(); ++i) expected[i] -= sum[i];
        if (setting.keeps_sums && step != 4) {
            if (!same_bits(visits, descent.times())) return "visited is not what is updated";
            for (std::size_t i = 0; i < sum.size(); ++i)
                if (entry.is_ordered && visits[i] == 1.0F && visited[i] != sum[i])
                    return "a visited sum is wrong";
        }
        if (entry.is_ordered && !same_bits(weights, expected)) return "weights are wrong";
        if (!is_equal_on_all_ranks(weights, comm)) return "weights differ between ranks";
        std::vector<float> times(descent.times().begin(), descent.times().end());
        exchange.collect(times);
        if (std::ranges::any_of(times, [](float n) { return n != 1.0F; }))
            return "not every weight was updated once, or not collected";
    }
    return "";
}

void check_exchanges(const ExchangeSetting& setting, const Communicator& comm) {
    for (const NamedExchange& entry : all_exchanges(comm, setting)) {
        INFO(entry.name << ", shards " << setting.shards << ", count " << setting.count << ", rank "
                        << comm.rank());
        CHECK(faults_of(entry, setting, comm) == "");
    }
}

}  // namespace

TEST_CASE("the exchanges sum every length, from 0 elements on") {
    const Communicator comm(MPI_COMM_WORLD);
    const auto ranks = static_cast<std::size_t>(comm.size());
    for (const std::size_t count :
         {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{17},
          16 * ranks - 1, 16 * ranks, 16 * ranks + 1, std::size_t{1000}})
        check_exchanges({.count = count, .tail = kTail, .shards = 8, .filled_shards = {8}}, comm);
}

TEST_CASE("the exchanges sum 300,003 elements: many chunks") {
    const Communicator comm(MPI_COMM_WORLD);
    check_exchanges({.count = 300'003, .tail = kTail, .shards = 8, .filled_shards = {8, 8, 7}},
                    comm);
}

TEST_CASE("sums can be looked at before the update, or not") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t count : {0, 1, 17, 2021, 70'000})
        check_exchanges({.count = count,
                         .tail = kTail,
                         .shards = 8,
                         .filled_shards = {8, 5, 8, 1},
                         .keeps_sums = true},
                        comm);
}

TEST_CASE("directions are collected, made anew and shared between the sums and the update") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t count : {0, 1, 17, 2021, 70'000})
        check_exchanges({.count = count,
                         .tail = kTail,
                         .shards = 8,
                         .filled_shards = {8, 5, 8, 1},
                         .keeps_sums = true,
                         .has_directions = true},
                        comm);
}

TEST_CASE("the exchanges sum any number of shards, with empty ones at the end") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const int shards : {1, 2, 3, 5, 7, 8, 11, 16}) {
        ExchangeSetting setting{
            .count = 2021, .tail = kTail, .shards = shards, .filled_shards = {shards}};
        for (int filled = 1; filled <= shards; ++filled) setting.filled_shards.push_back(filled);
        setting.filled_shards.push_back(shards);
        check_exchanges(setting, comm);
    }
}

TEST_CASE("groups of ranks exchange side by side") {
    const Communicator world(MPI_COMM_WORLD);
    const Communicator group = world.split(world.rank() % 2);
    check_exchanges({.count = 2021, .tail = kTail, .shards = 8, .filled_shards = {8, 3}}, group);
}

TEST_CASE("a gradient begins at a cache line") {
    const Communicator comm(MPI_COMM_WORLD);
    const ExchangeSetting setting{
        .count = 1003, .tail = kTail, .shards = 11, .filled_shards = {11, 5}};
    for (const NamedExchange& entry : all_exchanges(comm, setting)) {
        CHECK(entry.exchange->gradient(0).size() == setting.count + kTail);
        CHECK(reinterpret_cast<std::uintptr_t>(entry.exchange->gradient(0).data()) % 64 == 0);
        CHECK(reinterpret_cast<std::uintptr_t>(entry.exchange->weights().data()) % 64 == 0);
    }
}

TEST_CASE("of the ranks that share weights each writes its part, and together all") {
    const Communicator comm(MPI_COMM_WORLD);
    for (const std::size_t count : {0, 1, 17, 2021}) {
        const ExchangeSetting setting{
            .count = count, .tail = kTail, .shards = 8, .filled_shards = {8}};
        for (const NamedExchange& entry : all_exchanges(comm, setting)) {
            INFO(entry.name << ", count " << count);
            const Slice own = entry.exchange->own_weights();
            comm.barrier();
            for (float& weight : entry.exchange->weights().subspan(own.first, own.count))
                weight += 1.0F;
            comm.barrier();
            CHECK(
                std::ranges::all_of(entry.exchange->weights(), [](float w) { return w == 1.0F; }));
            comm.barrier();
        }
    }
}

TEST_CASE("a number of filled shards that nobody announced is refused") {
    const Communicator comm(MPI_COMM_WORLD);
    const ExchangeSetting setting{.count = 10, .tail = kTail, .shards = 8, .filled_shards = {8}};
    for (const NamedExchange& entry : all_exchanges(comm, setting))
        CHECK_THROWS_AS(entry.exchange->sum_tails(7), std::invalid_argument);
}
