#include "trainer/exchange/exchange_benchmark.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "trainer/exchange/exchange.hpp"
#include "trainer/exchange/ordered_ring.hpp"
#include "trainer/kernels/aligned_array.hpp"
#include "trainer/kernels/median.hpp"

namespace lockstep::trainer {
namespace {

// A gradient's element: a pure function, so that every rank can work out the serial sum. Of mixed
// magnitude, so that the order of additions shows in the bits.
float gradient_element(std::size_t shard, std::size_t i) {
    const std::uint64_t mixed = (i + 1) * 0x9E3779B97F4A7C15U ^ (shard + 1) * 0xBF58476D1CE4E5B9U;
    const auto word = static_cast<std::uint32_t>((mixed * 0x94D049BB133111EBU) >> 32);
    const float fraction = static_cast<float>(word >> 8) * 0x1p-24F - 0.5F;
    return word % 4 == 0 ? fraction * 0x1p-10F : fraction;
}

// One length's buffers on this rank.
class Buffers {
public:
    Buffers(std::size_t count, int shards, const Communicator& comm)
        : sum_(count), serial_sum_(count) {
        const auto ranks = static_cast<std::size_t>(comm.size());
        const auto rank = static_cast<std::size_t>(comm.rank());
        const auto total = static_cast<std::size_t>(shards);
        for (std::size_t shard = rank * total / ranks; shard < (rank + 1) * total / ranks;
             ++shard) {
            originals_.emplace_back(count);
            gradients_.emplace_back(count);
            for (std::size_t i = 0; i < count; ++i) {
                originals_.back()[i] = gradient_element(shard, i);
            }
        }
        for (const AlignedArray<float>& gradient : gradients_) spans_.push_back(gradient.span());
        for (std::size_t i = 0; i < count; ++i) {
            for (std::size_t shard = 0; shard < total; ++shard) {
                serial_sum_[i] += gradient_element(shard, i);
            }
        }
    }

    void write_anew() {
        for (std::size_t k = 0; k < gradients_.size(); ++k) {
            std::ranges::copy(originals_[k].span(), gradients_[k].data());
        }
        std::ranges::fill(sum_.span(), std::numeric_limits<float>::quiet_NaN());
    }
    bool sum_is_exact() const {
        const auto sum = sum_.span();
        return sum.empty() || std::memcmp(sum.data(), serial_sum_.data(), sum.size_bytes()) == 0;
    }

    std::span<const std::span<const float>> own_shards() const { return spans_; }
    std::span<const float> one_gradient() const {  // of an own shard, or any other buffer
        return spans_.empty() ? serial_sum_.span() : spans_.front();
    }
    std::span<float> sum() { return sum_.span(); }

private:
    std::vector<AlignedArray<float>> originals_;  // [own shards][count]
    std::vector<AlignedArray<float>> gradients_;
    std::vector<std::span<const float>> spans_;  // of gradients_
    AlignedArray<float> sum_;
    AlignedArray<float> serial_sum_;
};

struct Contender {
    std::string name;
    bool is_ordered = false;
    std::function<void()> run;
    std::vector<double> seconds;  // by round
};

Contender contender(std::string name, std::shared_ptr<Exchange> exchange, Buffers& buffers) {
    const bool is_ordered = name.starts_with("ordered");
    auto run = [exchange = std::move(exchange), &buffers] {
        exchange->sum_shards(buffers.own_shards(), buffers.sum());
    };
    return {std::move(name), is_ordered, std::move(run), {}};
}

constexpr std::size_t kMpiContender = 3;

std::vector<Contender> make_contenders(std::size_t count, const Communicator& comm,
                                       Buffers& buffers) {
    std::vector<Contender> all;
    all.push_back(contender("ordered", make_exchange(ExchangeKind::ordered, comm, count), buffers));
    all.push_back(
        contender("ordered messages", std::make_shared<OrderedRing>(comm, count), buffers));
    all.push_back(contender("ring", make_exchange(ExchangeKind::ring, comm, count), buffers));
    all.push_back(contender("mpi", make_exchange(ExchangeKind::mpi, comm, count), buffers));
    auto bare = [&comm, &buffers, count] {
        check_mpi(MPI_Allreduce(buffers.one_gradient().data(), buffers.sum().data(),
                                static_cast<int>(count), MPI_FLOAT, MPI_SUM, comm.handle()),
                  "MPI_Allreduce");
    };
    all.push_back({"MPI_Allreduce", false, std::move(bare), {}});
    return all;
}

// From a common start to the end on the slowest rank.
double seconds_of(const std::function<void()>& run, const Communicator& comm) {
    comm.barrier();
    const double start = MPI_Wtime();
    run();
    double seconds = MPI_Wtime() - start;
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, comm.handle()),
              "MPI_Allreduce");
    return seconds;
}

ExchangeTiming timing_of(const Contender& measured, const Contender& mpi, std::size_t count) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < measured.seconds.size(); ++round) {
        ratios.push_back(measured.seconds[round] / mpi.seconds[round]);
    }
    return {.exchange = measured.name,
            .count = count,
            .best_seconds = *std::ranges::min_element(measured.seconds),
            .median_seconds = median(measured.seconds),
            .ratio_to_mpi = median(std::move(ratios))};
}

bool is_true_on_all_ranks(bool value, const Communicator& comm) {
    int all = value ? 1 : 0;
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, comm.handle()),
              "MPI_Allreduce");
    return all == 1;
}

}  // namespace

ExchangeBenchmark benchmark_exchanges(const ExchangeBenchmarkConfig& config,
                                      const Communicator& comm) {
    ExchangeBenchmark result;
    for (const std::size_t count : config.counts) {
        Buffers buffers(count, config.shards, comm);
        std::vector<Contender> contenders = make_contenders(count, comm, buffers);
        for (int round = 0; round < config.rounds; ++round) {
            for (Contender& each : contenders) {
                buffers.write_anew();
                each.seconds.push_back(seconds_of(each.run, comm));
                if (each.is_ordered && !buffers.sum_is_exact()) result.ordered_is_exact = false;
            }
        }
        for (const Contender& each : contenders) {
            result.timings.push_back(timing_of(each, contenders[kMpiContender], count));
        }
    }
    result.ordered_is_exact = is_true_on_all_ranks(result.ordered_is_exact, comm);
    return result;
}

}  // namespace lockstep::trainer
