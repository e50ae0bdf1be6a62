#include "pipeline/command_line/number_options.hpp"
#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/bench.hpp"
#include "pipeline/verbs/bench_kernels.hpp"

namespace lockstep::pipeline {
namespace {

constexpr OptionRange kTimes{1, 100'000};  // that something is measured

void declare_allreduce(CLI::App& verb, BenchAllreduceOptions& bench) {
    add_whole_list(verb, "--counts", bench.benchmark.counts, {0, 1'000'000'000},
                   "floats of a gradient");
    add_whole(verb, "--repeats", bench.benchmark.repeats, kTimes,
              "times each exchange is measured; 200 unless given");
    add_whole(verb, "--shards", bench.benchmark.shards, {1, 4096},
              "shards over all ranks; 8 unless given");
    add_whole(verb, "--ranks", bench.ranks, kRankCounts,
              "ranks to start; one per core unless given");
    add_format(verb, bench.benchmark.format);
}

void declare_kernels(CLI::App& verb, BenchKernelsOptions& bench) {
    verb.add_option(
            "--shapes", bench.shapes,
            "channels-filters@size, then what differs: 32-64@28x20,valid,k5,s2; those of the "
            "tutorials unless given")
        ->type_name("SHAPE")
        ->allow_extra_args(false);
    add_whole(verb, "--images", bench.images, {1, 1024},
              "images of a call, a shard; 4 unless given");
    add_whole(verb, "--rounds", bench.rounds, kTimes,
              "rounds in which both run once; 50 unless given");
    add_format(verb, bench.format);
}

void declare_step(CLI::App& verb, BenchStepOptions& bench) {
    add_spec(verb, bench.spec);
    add_whole(verb, "--ranks", bench.ranks, kRankCounts,
              "ranks to start; one per core, at most one per shard, unless given");
    add_whole(verb, "--steps", bench.measuring.steps, kTimes, "steps of a round");
    add_whole(verb, "--rounds", bench.measuring.rounds, kTimes,
              "rounds in which all is measured in turns");
    add_real(verb, "--latency", bench.latency_us,
             {[](double us) { return us >= 0.0 && us <= 1e9; }, "from 0 to 1e9"},
             "of a message between nodes, in microseconds, for the prediction; 20 unless given")
        .type_name("US");
    add_real(verb, "--bandwidth", bench.bandwidth_gbit,
             {[](double gbit) { return gbit > 0.0 && gbit <= 1e6; }, "above 0 and at most 1e6"},
             "of a node's network, in Gbit/s, for the prediction; 10 unless given")
        .type_name("GBIT");
    add_format(verb, bench.format);
}

}  // namespace

void add_bench_verbs(VerbList& verbs) {
    VerbList benches = verbs.add_group({"bench", "measure this machine",
                                        "  lockstep bench allreduce --ranks 2\n"
                                        "  lockstep bench kernels --shapes 64-64@16\n"
                                        "  lockstep bench step my.toml --only mine\n"
                                        "  mpirun -n 8 lockstep bench allreduce --format csv\n"});
    benches.add<BenchAllreduceOptions>(
        {"allreduce", "the exchanges of gradients against MPI_Allreduce",
         "  lockstep bench allreduce --ranks 2 --counts 122570,552362\n"},
        declare_allreduce, [arguments = verbs.arguments()](const BenchAllreduceOptions& options) {
            return bench(options, arguments);
        });
    benches.add<BenchKernelsOptions>(
        {"kernels", "Winograd convolutions of our own against oneDNN's, with their errors",
         "  lockstep bench kernels\n"
         "  lockstep bench kernels --shapes 64-128@8 --shapes 32-32@28,valid --images 16\n"},
        declare_kernels, bench_kernels);
    benches.add<BenchStepOptions>(
        {"step", "where the time of a training step goes, and what it would be on more nodes",
         "  lockstep bench step experiments/tutorials.toml --only vgg-bn --ranks 2\n"
         "  lockstep bench step my.toml --format json --latency 2 --bandwidth 100\n"},
        declare_step, [arguments = verbs.arguments()](const BenchStepOptions& options) {
            return bench(options, arguments);
        });
}

}  // namespace lockstep::pipeline
