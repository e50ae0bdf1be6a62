#include "pipeline/verbs/bench_allreduce.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/bench_figures.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/records/records.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/exchange_benchmark.hpp"
#include "trainer/optimizers/optimizer.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMaxCount = std::size_t{1} << 30;

// Every rank has the same options, so all of them find the same fault.
[[noreturn]] void refuse(const std::string& message) { throw AgreedFailure(kExitUsage, message); }

void check(const BenchOptions& options) {
    for (const std::size_t count : options.counts) {
        if (count >= 1 && count <= kMaxCount) continue;
        refuse(fmt::format("--counts: a count is 1 to {}, not {}", kMaxCount, count));
    }
    if (options.counts.empty()) refuse("--counts: give at least one");
    if (options.repeats < 1) refuse("--repeats is 1 or more");
    if (options.shards < 1) refuse("--shards is 1 or more");
}

// Adam, as in most tutorials, with slots of its own.
trainer::SliceUpdate make_update(std::span<float> weights) {
    const trainer::OptimizerConfig adam{.learning_rate = 1e-3, .rule = trainer::AdamConfig{}};
    auto optimizer = std::make_shared<trainer::Optimizer>(adam, weights.size());
    optimizer->begin_step(adam.learning_rate, 0);
    return [optimizer, weights](std::size_t first, std::span<const float> sum) {
        optimizer->update(first, sum, weights.subspan(first, sum.size()));
    };
}

storage::Table table_of(const trainer::ExchangeBenchmark& benchmark) {
    storage::Table table;
    table.columns = {"exchange",  "count", "megabytes",   "best_us",
                     "median_us", "gb_s",  "ratio_to_mpi"};
    for (const trainer::ExchangeTiming& timing : benchmark.timings) {
        const double bytes = static_cast<double>(timing.count) * sizeof(float);
        table.rows.push_back(
            {timing.exchange, static_cast<std::int64_t>(timing.count), bytes / 1e6,
             rounded(timing.best_seconds * 1e6, 10), rounded(timing.median_seconds * 1e6, 10),
             rounded(bytes / timing.best_seconds / 1e9, 100), rounded(timing.ratio_to_mpi, 100)});
    }
    return table;
}

}  // namespace

int bench_allreduce(const BenchOptions& options) {
    check(options);
    const trainer::Communicator comm(MPI_COMM_WORLD);
    if (comm.is_root()) {
        fmt::print(stderr, "{} ranks, {} shards, {} rounds\n", comm.size(), options.shards,
                   options.repeats);
    }
    const trainer::ExchangeBenchmark benchmark =
        trainer::benchmark_exchanges({.counts = options.counts,
                                      .rounds = options.repeats,
                                      .shards = options.shards,
                                      .make_update = make_update},
                                     comm);
    do_on_root(comm, [&] { print(reports::table_text(table_of(benchmark), options.format)); });
    if (!benchmark.ordered_is_exact) {
        throw AgreedFailure(kExitInternal, "an ordered exchange gave other bits than a plain sum");
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
