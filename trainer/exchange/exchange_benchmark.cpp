#include "trainer/exchange/exchange_benchmark.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "trainer/determinism/shard_tree.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/exchange/ordered_ring.hpp"
#include "trainer/exchange/replicated_exchange.hpp"
#include "trainer/exchange/tree_exchange.hpp"
#include "trainer/kernels/median.hpp"

namespace lockstep::trainer {
namespace {

constexpr std::size_t kTail = kAlignedFloats;  // as a training step's

// A gradient's element: a pure function, so that every rank can work out the whole sum. Of mixed
// magnitude, so that the order of additions shows in the bits.
float gradient_element(int shard, std::size_t i) {
    const std::uint64_t mixed = (i + 1) * 0x9E3779B97F4A7C15U ^
                                (static_cast<std::uint64_t>(shard) + 1) * 0xBF58476D1CE4E5B9U;
    const auto word = static_cast<std::uint32_t>((mixed * 0x94D049BB133111EBU) >> 32);
    const float fraction = static_cast<float>(word >> 8) * 0x1p-24F - 0.5F;
    return word % 4 == 0 ? fraction * 0x1p-10F : fraction;
}

// Of the shards in a node of the tree, by halves.
float sum_of_node(SampleRange node, int shards, std::size_t i) {
    if (node.count == 1) return gradient_element(node.first, i);
    const SampleRange left{node.first, node.count / 2};
    const SampleRange right{node.first + node.count / 2, node.count / 2};
    const float sum = sum_of_node(left, shards, i);
    return right.first < shards ? sum + sum_of_node(right, shards, i) : sum;
}

// A node's size, shards that are not there included.
int full_size(SampleRange node, int shards) {
    int size = 1;
    while (node.first + size < shards && size < node.count) size *= 2;
    return size;
}

class Contender {
public:
    Contender(std::string name, std::unique_ptr<Exchange> exchange, const ExchangeSetting& setting,
              const ExchangeBenchmarkConfig& config, const Communicator& comm)
        : name_(std::move(name)),
          exchange_(std::move(exchange)),
          setting_(setting),
          update_(config.make_update(exchange_->weights())) {
        const SampleRange own = shards_of_rank(setting.shards, comm.size(), comm.rank());
        for (const SampleRange& subtree : subtrees_of(own, setting.shards)) {
            AlignedArray<float>& original = originals_.emplace_back(setting.count);
            const SampleRange node{subtree.first, full_size(subtree, setting.shards)};
            for (std::size_t i = 0; i < setting.count; ++i)
                original[i] = sum_of_node(node, setting.shards, i);
        }
    }

    void write_gradients() {
        for (std::size_t k = 0; k < originals_.size(); ++k)
            std::ranges::copy(originals_[k].span(), exchange_->gradient(k).begin());
    }
    void run(const SliceUpdate& update) {
        exchange_->sum_tails(setting_.shards);
        exchange_->sum_and_update(update);
    }
    // The mean over the ranks, as the OSU micro-benchmarks take it. One may leave the barrier a
    // latency before another: the slowest one's time would be of that too.
    void measure(const Communicator& comm) {
        write_gradients();
        comm.barrier();
        const double start = MPI_Wtime();
        run(update_);
        double seconds = MPI_Wtime() - start;
        check_mpi(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_SUM, comm.handle()),
                  "MPI_Allreduce");
        seconds_.push_back(seconds / comm.size());
    }
    // Whether the weights are the expected sum, where the update is to copy it there.
    bool is_exact(std::span<const float> expected) {
        write_gradients();
        const std::span<float> weights = exchange_->weights();
        run([weights](std::size_t first, std::span<const float> sum) {
            std::ranges::copy(sum, weights.subspan(first).begin());
        });
        return expected.empty() ||
               std::memcmp(weights.data(), expected.data(), expected.size_bytes()) == 0;
    }

    const std::string& name() const { return name_; }
    bool is_ordered() const { return name_ == "ordered" || name_ == "ordered messages"; }
    const std::vector<double>& seconds() const { return seconds_; }

private:
    std::string name_;
    std::unique_ptr<Exchange> exchange_;
    ExchangeSetting setting_;
    SliceUpdate update_;
    std::vector<AlignedArray<float>> originals_;  // [own subtrees][count]
    std::vector<double> seconds_;                 // by round
};

constexpr std::size_t kMpiContender = 4;

std::vector<Contender> make_contenders(std::size_t count, const ExchangeBenchmarkConfig& config,
                                       const Communicator& comm) {
    const ExchangeSetting setting{
        .count = count, .tail = kTail, .shards = config.shards, .filled_shards = {config.shards}};
    std::vector<Contender> all;
    const auto add = [&](std::string name, std::unique_ptr<Exchange> exchange) {
        all.emplace_back(std::move(name), std::move(exchange), setting, config, comm);
    };
    add("ordered", make_exchange(ExchangeKind::ordered, comm, setting));
    add("ordered messages",
        std::make_unique<TreeExchange>(comm, setting, TreeExchange::Transport::messages));
    add("ordered ring", std::make_unique<ReplicatedExchange>(
                            comm, setting, std::make_unique<OrderedRing>(comm, count + kTail)));
    add("ring", make_exchange(ExchangeKind::ring, comm, setting));
    add("mpi", make_exchange(ExchangeKind::mpi, comm, setting));
    return all;
}

ExchangeTiming timing_of(const Contender& measured, const Contender& mpi, std::size_t count) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < measured.seconds().size(); ++round)
        ratios.push_back(measured.seconds()[round] / mpi.seconds()[round]);
    return {.exchange = measured.name(),
            .count = count,
            .best_seconds = *std::ranges::min_element(measured.seconds()),
            .median_seconds = median(measured.seconds()),
            .ratio_to_mpi = median(std::move(ratios))};
}

// Once before the rounds and once behind them.
bool are_exact(std::vector<Contender>& contenders, std::span<const float> expected) {
    bool exact = true;
    for (Contender& each : contenders)
        if (each.is_ordered()) exact = each.is_exact(expected) && exact;
    return exact;
}

std::vector<float> sum_of_all_shards(std::size_t count, int shards) {
    std::vector<float> sum(count);
    const SampleRange all{0, shards};
    const SampleRange root{0, full_size(all, shards)};
    for (std::size_t i = 0; i < count; ++i) sum[i] = sum_of_node(root, shards, i);
    return sum;
}

}  // namespace

ExchangeBenchmark benchmark_exchanges(const ExchangeBenchmarkConfig& config,
                                      const Communicator& comm) {
    ExchangeBenchmark result;
    for (const std::size_t count : config.counts) {
        const std::vector<float> expected = sum_of_all_shards(count, config.shards);
        std::vector<Contender> contenders = make_contenders(count, config, comm);
        bool exact = are_exact(contenders, expected);
        for (int round = 0; round < config.rounds; ++round)
            for (Contender& each : contenders) each.measure(comm);
        exact = are_exact(contenders, expected) && exact;
        for (const Contender& each : contenders)
            result.timings.push_back(timing_of(each, contenders[kMpiContender], count));
        result.ordered_is_exact = comm.all_agree(exact) && result.ordered_is_exact;
    }
    return result;
}

}  // namespace lockstep::trainer
