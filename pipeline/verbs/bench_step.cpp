#include "pipeline/verbs/bench_step.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/verbs/bench_step_tables.hpp"
#include "reports/tables/table_text.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/determinism/shards.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

using trainer::Communicator;
using DatasetPtr = std::shared_ptr<const trainer::Dataset>;

// All runs use all ranks, whatever their ranks_per_run.
void check_shards(const Plan& plan, int ranks) {
    for (const PlannedRun& planned : plan.runs) {
        const int shards = planned.run.config.parallel.shards;
        if (ranks <= shards) continue;
        throw Failure(kExitBadSpec, fmt::format("run \"{}\" has {} shards, too few for {} ranks",
                                                planned.run.config.name, shards, ranks));
    }
}

trainer::DataConfig synthetic_images() {
    trainer::DataConfig config;
    config.dataset = "synthetic";
    return config;
}

// The data sets of the runs, each loaded once.
class Datasets {
public:
    Datasets(const Communicator& world, bool may_be_synthetic)
        : world_(world), may_be_synthetic_(may_be_synthetic) {}

    // Collective. Throws AgreedFailure.
    DatasetPtr get(const trainer::DataConfig& config, const trainer::Shape& shape) {
        DatasetPtr& dataset = loaded_[dataset_key(config)];
        if (dataset != nullptr) return dataset;
        try {
            return dataset = load_on_nodes(config, world_);
        } catch (const AgreedFailure& failure) {
            const bool is_missing = failure.exit_code() == kExitMissingInput;
            const bool fits = trainer::dataset_traits(synthetic_).shape == shape;
            if (!is_missing || !may_be_synthetic_ || !fits) throw;
            if (world_.is_root())
                tell_failure(
                    {kExitSuccess,
                     fmt::format("warning: {}; measuring with synthetic images", failure.what())});
        }
        return dataset = load_on_nodes(synthetic_, world_);
    }

private:
    const Communicator& world_;
    bool may_be_synthetic_;
    const trainer::DataConfig synthetic_ = synthetic_images();
    std::map<std::string, DatasetPtr> loaded_;  // by dataset_key()
};

trainer::StepBenchmark measure_steps(trainer::MeasuredTraining& training,
                                     const trainer::StepBenchmarkConfig& measuring) {
    try {
        return trainer::benchmark_step(training, measuring);
    } catch (const trainer::NonFiniteNumbers& error) {  // on every rank alike
        throw AgreedFailure(kExitInternal,
                            fmt::format("run \"{}\": {}", training.config().name, error.what()));
    }
}

BenchedRun measure(const PlannedRun& planned, Datasets& datasets, const BenchStepOptions& options,
                   const Communicator& world) {
    trainer::forget_peak_memory();
    const trainer::RunConfig& config = planned.run.config;
    const DatasetPtr dataset = datasets.get(config.data, planned.run.architecture.input);
    trainer::RunData data;
    do_on_all(world,
              [&] { data = trainer::select_samples(dataset, config.data, config.train.seed); });
    trainer::MeasuredTraining training(config, data, world);
    const auto floats = training.network().parameters().trainable_size();
    return {.name = config.name,
            .ranks = world.size(),
            .shards = trainer::shards_of_batch(config.train.batch_size, config.parallel.shards),
            .gradient_bytes = static_cast<double>(floats * sizeof(float)),
            .step = measure_steps(training, options.measuring),
            .scaling = trainer::benchmark_scaling(training, options.measuring)};
}

void print_tables(const std::vector<BenchedRun>& runs, const BenchStepOptions& options) {
    const NetworkFigures network{.latency_seconds = options.latency_us / 1e6,
                                 .bytes_per_second = options.bandwidth_gbit * 1e9 / 8};
    if (options.format == reports::TableFormat::csv)
        return print(reports::table_text(layers_table(runs), options.format));
    print(reports::sections_text({{"steps", steps_table(runs)},
                                  {"layers", layers_table(runs)},
                                  {"scaling", scaling_table(runs, network)}},
                                 options.format));
}

}  // namespace

int ranks_for(const BenchStepOptions& options, int cores) {
    const Plan plan = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    int ranks = options.ranks.value_or(cores);
    if (!options.ranks)
        for (const PlannedRun& planned : plan.runs)
            ranks = std::min(ranks, planned.run.config.parallel.shards);
    check_shards(plan, ranks);
    return ranks;
}

int bench_step(const BenchStepOptions& options, const Communicator& world) {
    std::string text;
    do_on_root(world, [&] { text = read_experiment_file(options.spec.file); });
    text = world.broadcast_text(text);
    Plan plan;
    do_on_all(world, [&] {
        plan = plan_experiment(text, options.spec, world.size());
        check_shards(plan, world.size());
    });
    trainer::agree_on_compute_environment(world);
    Datasets datasets(world, !options.spec.data);
    std::vector<BenchedRun> runs;
    for (const PlannedRun& planned : plan.runs)
        runs.push_back(measure(planned, datasets, options, world));
    do_on_root(world, [&] { print_tables(runs, options); });
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
