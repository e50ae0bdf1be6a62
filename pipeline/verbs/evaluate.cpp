#include "pipeline/verbs/evaluate.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "pipeline/exporting/export_notes.hpp"
#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/run_queue.hpp"
#include "reports/tables/table_text.hpp"
#include "trainer/environment.hpp"
#include "trainer/evaluate.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

const trainer::SampleSet& samples_of(const trainer::RunData& data, EvaluatedSplit split) {
    switch (split) {
        case EvaluatedSplit::validation:
            return data.validation;
        case EvaluatedSplit::training:
            return data.training;
        case EvaluatedSplit::test:
            break;
    }
    return data.test;
}

std::string_view name_of(EvaluatedSplit split) {
    switch (split) {
        case EvaluatedSplit::validation:
            return "validation";
        case EvaluatedSplit::training:
            return "training";
        case EvaluatedSplit::test:
            break;
    }
    return "test";
}

storage::Table result_table(const SavedNetwork& network, EvaluatedSplit split,
                            const trainer::Metrics& metrics) {
    return {{"weights", "samples", "count", "loss", "accuracy"},
            {{network.path.string(), std::string(name_of(split)), metrics.count, metrics.loss,
              metrics.accuracy}}};
}

// The samples of the run's own data set.
trainer::RunData own_data(const SavedNetwork& network) {
    const trainer::RunConfig& config = network.planned.run.config;
    return trainer::select_samples(trainer::load_dataset(config.data), config.data,
                                   config.train.seed);
}

// The samples of another data set, by the names of the run's classes. Its pixels are scaled as
// those the network was trained on.
trainer::RunData other_data(const SavedNetwork& network, const EvaluateOptions& options) {
    const RunSpec& run = network.planned.run;
    trainer::DataConfig config = run.config.data;
    config.dataset = *options.dataset;
    if (options.network.data) config.path = fs::absolute(*options.network.data);
    config.classes = run.class_names;
    if (options.split != EvaluatedSplit::validation) config.validation = trainer::NoValidation{};
    config.scale = trainer::Scale::unit;  // whatever its own pixels are like
    trainer::RunData data =
        trainer::select_samples(trainer::load_dataset(config), config, run.config.train.seed);
    if (!(data.shape == run.architecture.input)) {
        throw Failure(kExitBadData,
                      fmt::format("the network sees images {}, those of {} are {}",
                                  trainer::to_string(run.architecture.input), data.dataset->name,
                                  trainer::to_string(data.shape)));
    }
    data.scale = pixel_scale_of(network);
    return data;
}

// Where --data tells where another data set lies, the run's own stays where it was.
SavedNetworkOptions network_options(const EvaluateOptions& options) {
    SavedNetworkOptions network = options.network;
    if (options.dataset) network.data.reset();
    return network;
}

int evaluate_on(const trainer::Communicator& world, const EvaluateOptions& options) {
    SavedNetwork network;
    trainer::RunData data;
    // Every rank reads for itself: a job of this verb is short, and mostly one rank.
    do_on_all(world, [&] {
        network = read_saved_network(network_options(options));
        check_ranks({.experiment = {}, .title = {}, .runs = {network.planned}}, world.size());
        data = options.dataset ? other_data(network, options) : own_data(network);
        if (samples_of(data, options.split).count() == 0) {
            throw Failure(kExitBadSpec,
                          fmt::format("run \"{}\" has no {} samples",
                                      network.planned.run.config.name, name_of(options.split)));
        }
    });
    trainer::agree_on_compute_environment(world);
    const auto result = trainer::evaluate(network.planned.run.config, network.weights, data,
                                          samples_of(data, options.split), world);
    if (world.is_root()) {
        print(reports::table_text(result_table(network, options.split, result.metrics),
                                  options.format));
    }
    return kExitSuccess;
}

}  // namespace

int evaluate(const EvaluateOptions& options, ProcessArguments arguments) {
    return do_with_ranks(
        arguments, [&](const trainer::Communicator& world) { return evaluate_on(world, options); });
}

}  // namespace lockstep::pipeline
