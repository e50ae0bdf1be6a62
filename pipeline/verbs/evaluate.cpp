#include "pipeline/verbs/evaluate.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "pipeline/exit_codes.hpp"
#include "pipeline/experiment_file.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/rank_session.hpp"
#include "pipeline/run_queue.hpp"
#include "pipeline/store_reading.hpp"
#include "pipeline/tensors.hpp"
#include "reports/table_text.hpp"
#include "storage/atomic_file.hpp"
#include "storage/run_store.hpp"
#include "storage/weights_file.hpp"
#include "trainer/train.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

// The weights, and the experiment file that describes their network.
struct Subject {
    fs::path weights;
    SpecOptions spec;
};

Subject run_of_store(const EvaluateOptions& options) {
    const auto store = storage::RunStore::open(options.store);
    const auto row = the_run(open_for_reading(options.store), options.subject);
    const storage::RunFiles files = store.run_files(row.run);
    if (!fs::exists(files.final_weights)) {
        throw Failure(kExitMissingInput,
                      fmt::format("run {} is {} and has no final weights yet; its files lie in {}",
                                  row.run, storage::to_string(row.state), files.folder.string()));
    }
    Subject subject{files.final_weights, {}};
    subject.spec.file = files.effective_config;
    return subject;
}

Subject weights_file(const EvaluateOptions& options) {
    Subject subject{options.subject, {}};
    subject.spec.file = options.file;
    if (!options.run.empty()) subject.spec.only = {options.run};
    if (!options.file.empty()) return subject;
    if (!fs::exists(subject.weights)) storage::read_file(subject.weights);  // throws, in its words
    // Beside the weights that were trained here lies the file that describes them.
    subject.spec.file = subject.weights.parent_path() / "effective.toml";
    if (fs::exists(subject.spec.file)) return subject;
    throw UsageError(
        fmt::format("{}: which network is it of? Say --file exp.toml, and --run NAME "
                    "where the file has several runs",
                    options.subject));
}

Subject find_subject(const EvaluateOptions& options) {
    const fs::path path = options.subject;
    const bool is_file =
        fs::is_regular_file(path) || path.extension() == ".h5" || !options.file.empty();
    Subject subject = is_file ? weights_file(options) : run_of_store(options);
    subject.spec.settings = options.settings;
    subject.spec.data = options.data;
    return subject;
}

PlannedRun the_planned_run(const Subject& subject) {
    Plan plan = plan_experiment(read_experiment_file(subject.spec.file), subject.spec);
    if (plan.runs.size() == 1) return plan.runs.front();
    throw UsageError(fmt::format("{} has {} runs; say which one with --run NAME",
                                 subject.spec.file.string(), plan.runs.size()));
}

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

storage::Table result_table(const Subject& subject, EvaluatedSplit split,
                            const trainer::Metrics& metrics) {
    return {{"weights", "samples", "count", "loss", "accuracy"},
            {{subject.weights.string(), std::string(name_of(split)), metrics.count, metrics.loss,
              metrics.accuracy}}};
}

int evaluate_on(const trainer::Communicator& world, const EvaluateOptions& options) {
    Subject subject;
    PlannedRun planned;
    trainer::NamedTensors weights;
    trainer::RunData data;
    // Every rank reads for itself: a job of this verb is short, and mostly one rank.
    do_on_all(world, [&] {
        subject = find_subject(options);
        planned = the_planned_run(subject);
        check_ranks({.experiment = {}, .title = {}, .runs = {planned}}, world.size());
        weights = to_tensors(storage::read_weights(subject.weights), planned.run.architecture,
                             subject.weights.string());
        const trainer::RunConfig& config = planned.run.config;
        data = trainer::select_samples(trainer::load_dataset(config.data), config.data,
                                       config.train.seed);
        if (samples_of(data, options.split).count() == 0) {
            throw Failure(kExitBadSpec, fmt::format("run \"{}\" has no {} samples", config.name,
                                                    name_of(options.split)));
        }
    });
    trainer::agree_on_compute_environment(world);
    const auto result = trainer::evaluate(planned.run.config, weights, data,
                                          samples_of(data, options.split), world);
    if (world.is_root()) {
        print(reports::table_text(result_table(subject, options.split, result.metrics),
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
