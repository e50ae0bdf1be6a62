#include "pipeline/command_line/options.hpp"
#include "pipeline/command_line/verbs.hpp"
#include "pipeline/verbs/bench.hpp"

namespace lockstep::pipeline {
namespace {

void declare_allreduce(CLI::App& verb, BenchAllreduceOptions& bench) {
    verb.add_option("--counts", bench.benchmark.counts, "floats of a gradient")
        ->type_name("N,...")
        ->delimiter(',')
        ->check(CLI::NonNegativeNumber);
    verb.add_option("--repeats", bench.benchmark.repeats, "times each exchange is measured")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    verb.add_option("--shards", bench.benchmark.shards, "shards over all ranks")
        ->type_name("N")
        ->check(CLI::PositiveNumber);
    verb.add_option("--ranks", bench.ranks, "ranks to start; one per core unless given")
        ->type_name("N")
        ->check(CLI::Range(1, 65536));
    add_format(verb, bench.benchmark.format);
}

}  // namespace

void add_bench_verbs(VerbList& verbs) {
    VerbList benches = verbs.add_group({"bench", "measure this machine",
                                        "  lockstep bench allreduce --ranks 2\n"
                                        "  mpirun -n 8 lockstep bench allreduce --format csv\n"});
    benches.add<BenchAllreduceOptions>(
        {"allreduce", "the exchanges of gradients against MPI_Allreduce",
         "  lockstep bench allreduce --ranks 2 --counts 122570,552362\n"},
        declare_allreduce, [arguments = verbs.arguments()](const BenchAllreduceOptions& options) {
            return bench(options, arguments);
        });
}

}  // namespace lockstep::pipeline
