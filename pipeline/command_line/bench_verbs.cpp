#include <fmt/format.h>

#include <string>

#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/bench.hpp"
#include "pipeline/verbs/bench_kernels.hpp"

namespace lockstep::pipeline {
namespace {

// A number for which `is_fine`, which no NaN is; CLI11's own ranges let one pass.
CLI::Validator real_number(bool (*is_fine)(double), const char* what) {
    return CLI::Validator(
        [=](const std::string& text) {
            double value = 0.0;
            const bool is_number = CLI::detail::lexical_cast(text, value);
            return is_number && is_fine(value) ? std::string()
                                               : fmt::format("{} is not {}", text, what);
        },
        "");
}

void declare_allreduce(CLI::App& verb, BenchAllreduceOptions& bench) {
    verb.add_option("--counts", bench.benchmark.counts, "floats of a gradient")
        ->type_name("N,...")
        ->delimiter(',')
        ->check(CLI::Range(0, 1'000'000'000));
    verb.add_option("--repeats", bench.benchmark.repeats, "times each exchange is measured")
        ->type_name("N")
        ->check(CLI::Range(1, 100000));
    verb.add_option("--shards", bench.benchmark.shards, "shards over all ranks")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    verb.add_option("--ranks", bench.ranks, "ranks to start; one per core unless given")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    add_format(verb, bench.benchmark.format);
}

void declare_kernels(CLI::App& verb, BenchKernelsOptions& bench) {
    verb.add_option(
            "--shapes", bench.shapes,
            "channels-filters@size, then what differs: 32-64@28x20,valid,k5,s2; those of the "
            "tutorials unless given")
        ->type_name("SHAPE")
        ->allow_extra_args(false);
    verb.add_option("--images", bench.images, "images of a call: a shard")
        ->type_name("N")
        ->check(CLI::Range(1, 1024));
    verb.add_option("--rounds", bench.rounds, "rounds in which both run once")
        ->type_name("N")
        ->check(CLI::Range(1, 100000));
    add_format(verb, bench.format);
}

void declare_step(CLI::App& verb, BenchStepOptions& bench) {
    add_spec(verb, bench.spec);
    verb.add_option("--ranks", bench.ranks,
                    "ranks to start; one per core, at most one per shard, unless given")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    verb.add_option("--steps", bench.measuring.steps, "steps of a round")
        ->type_name("N")
        ->check(CLI::Range(1, 100000));
    verb.add_option("--rounds", bench.measuring.rounds, "rounds in which all is measured in turns")
        ->type_name("N")
        ->check(CLI::Range(1, 100000));
    verb.add_option("--latency", bench.latency_us,
                    "of a message between nodes, in microseconds, for the prediction")
        ->type_name("US")
        ->check(real_number([](double us) { return us >= 0.0 && us <= 1e9; }, "from 0 to 1e9"));
    verb.add_option("--bandwidth", bench.bandwidth_gbit,
                    "of a node's network, in Gbit/s, for the prediction")
        ->type_name("GBIT")
        ->check(real_number([](double gbit) { return gbit > 0.0 && gbit <= 1e6; },
                            "above 0 and at most 1e6"));
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
