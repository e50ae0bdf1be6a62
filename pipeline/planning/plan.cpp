#include "pipeline/planning/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "pipeline/experiment/sections.hpp"
#include "pipeline/keras/model_summary.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "pipeline/planning/checkpoint_size.hpp"
#include "pipeline/planning/equal_runs.hpp"
#include "pipeline/settings/path_text.hpp"
#include "reports/words/number_text.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/optimizers/muon_tensors.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::int64_t kFloat = 4;  // bytes

std::int64_t divided_up(std::int64_t count, std::int64_t by) { return (count + by - 1) / by; }

void count_samples(const RunSpec& run, const trainer::DatasetTraits& traits,
                   RunEstimate& estimate) {
    const std::size_t classes = run.class_names.size();
    const std::int64_t all = samples_of_classes(traits.training_samples, classes, traits);
    estimate.test_samples = samples_of_classes(traits.test_samples, classes, traits);
    const trainer::ValidationConfig& validation = run.config.data.validation;
    if (std::holds_alternative<trainer::TestSetValidation>(validation)) {
        estimate.validation_samples = estimate.test_samples;
    }
    std::int64_t cut_off = 0;
    if (const auto* first = std::get_if<trainer::FirstValidation>(&validation)) {
        cut_off = std::min(first->count, all);
    }
    if (const auto* part = std::get_if<trainer::FractionValidation>(&validation)) {
        cut_off = std::llround(part->fraction * static_cast<double>(all));
    }
    if (cut_off > 0) estimate.validation_samples = cut_off;
    estimate.training_samples = all - cut_off;
}

void count_steps(const trainer::TrainConfig& train, RunEstimate& estimate) {
    const std::int64_t all = divided_up(estimate.training_samples, train.batch_size);
    estimate.steps_per_epoch = train.steps_per_epoch ? std::min(*train.steps_per_epoch, all) : all;
    estimate.steps = estimate.steps_per_epoch * train.epochs;
}

// Forward and backward are three times the forward pass: the backward one computes two products of
// its size, by the weights and by the inputs.
double training_flops(const PlannedRun& planned) {
    const trainer::TrainConfig& train = planned.run.config.train;
    const RunEstimate& estimate = planned.estimate;
    const auto trained = static_cast<double>(
        std::min(estimate.training_samples, estimate.steps_per_epoch * train.batch_size));
    const double epochs = train.epochs;
    const double images =
        epochs * (3.0 * trained + static_cast<double>(estimate.validation_samples)) +
        static_cast<double>(estimate.test_samples);
    return images * static_cast<double>(planned.flops_per_image);
}

// On one node: the rank's share of the data set as bytes; weights, the optimizer's slots, a
// gradient and what it is summed from; and each layer's output and its gradient for the images of
// the own shards, at most, as buffers share memory.
std::int64_t memory_per_rank(const PlannedRun& planned, const trainer::DatasetTraits& traits,
                             int ranks) {
    const trainer::RunConfig& config = planned.run.config;
    const trainer::Architecture& architecture = planned.run.architecture;
    const std::int64_t shards = config.parallel.shards;
    const std::int64_t own_shards = divided_up(shards, std::max(1, ranks));
    const std::int64_t images =
        std::min<std::int64_t>(own_shards * divided_up(config.train.batch_size, shards),
                               std::max<std::int64_t>(planned.estimate.training_samples, 1));
    const std::int64_t data =
        divided_up((traits.training_samples + traits.test_samples) * (traits.shape.size() + 1),
                   std::clamp<std::int64_t>(ranks, 1, shards));
    const std::int64_t parameter_arrays = 3 + slot_count(config.train.optimizer);
    std::int64_t values_per_image = architecture.input.size();
    for (const trainer::LayerShape& layer : architecture.layers) {
        values_per_image += 2 * layer.output.size();
    }
    return data + kFloat * (parameter_arrays * planned.parameters + images * values_per_image);
}

bool is_of_validation(const trainer::MonitorConfig& monitor) {
    return monitor.metric.starts_with("val_");
}

bool selects_by_validation(const trainer::TrainConfig& train) {
    const bool by_stopping =
        train.early_stopping && is_of_validation(train.early_stopping->monitor);
    const bool by_checkpoint = train.checkpoint && train.checkpoint->restore_best_weights &&
                               is_of_validation(train.checkpoint->monitor);
    return by_stopping || by_checkpoint;
}

// Activations that compute what they say, in places where that hinders learning.
void warn_of_activations(const std::vector<trainer::LayerConfig>& layers,
                         std::vector<std::string>& warnings) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const trainer::Activation activation = activation_of(layers[i].kind);
        const bool is_last = i + 1 == layers.size();
        if (is_last && activation == trainer::Activation::relu) {
            warnings.push_back(
                fmt::format("ends in a relu (layer \"{}\"): logits below 0 are cut "
                            "off, and learning may stand still",
                            layers[i].name));
        }
        if (!is_last && activation == trainer::Activation::softmax) {
            warnings.push_back(
                fmt::format("has a softmax inside the network (layer \"{}\"); it is "
                            "meant for the last layer",
                            layers[i].name));
        }
    }
}

// visit(layer, tensor) for what is trained.
template <class Visit>
void for_each_trained_tensor(const RunSpec& run, Visit visit) {
    for (std::size_t i = 0; i < run.config.layers.size(); ++i)
        for (const trainer::ParameterShape& tensor : run.architecture.layers[i].parameters)
            if (tensor.is_trainable) visit(run.config.layers[i], tensor);
}

// Of a muon that does less than its name says.
void warn_of_muon(const RunSpec& run, std::vector<std::string>& warnings) {
    trainer::OptimizerConfig optimizer = run.config.train.optimizer;
    auto* muon = std::get_if<trainer::MuonConfig>(&optimizer.rule);
    if (muon == nullptr) return;
    for (const std::string& part : muon->exclude_layers) {
        bool is_found = false;
        for_each_trained_tensor(run, [&](const auto& layer, const auto& tensor) {
            is_found = is_found || (layer.name + '/' + tensor.name).find(part) != part.npos;
        });
        if (!is_found)
            warnings.push_back(
                fmt::format("exclude_layers: no weights of any layer are called \"{}\"", part));
    }
    const auto matrices = [&] {
        int count = 0;
        for_each_trained_tensor(run, [&](const auto& layer, const auto& tensor) {
            count += trainer::takes_muon(optimizer, layer, tensor.name, tensor.shape) ? 1 : 0;
        });
        return count;
    };
    const int taken = matrices();
    muon->exclude_convolutions = false;
    if (const int more = matrices() - taken; more > 0)
        warnings.push_back(
            fmt::format("muon leaves the kernels of {} convolutions to AdamW, as Keras' does: "
                        "exclude_convolutions = false has it take them",
                        more));
    else if (taken == 0)
        warnings.push_back("no kernel takes muon: AdamW updates all weights");
}

// Of steps that are too few to change a weight.
void warn_of_steps(const PlannedRun& planned, std::vector<std::string>& warnings) {
    const trainer::TrainConfig& train = planned.run.config.train;
    const std::int64_t steps = train.epochs * planned.estimate.steps_per_epoch;
    const std::int64_t of_update = train.optimizer.gradient_accumulation_steps;
    const auto* lookahead = std::get_if<trainer::LookaheadConfig>(&train.optimizer.average);
    if (steps == 0) return;
    if (of_update > steps)
        warnings.push_back(
            fmt::format("gradient_accumulation_steps {} is more than the {} steps of the run: "
                        "weights are never updated",
                        of_update, steps));
    else if (lookahead != nullptr && lookahead->sync_period > steps / of_update)
        warnings.push_back(
            fmt::format("the sync_period {} of lookahead is more than the {} updates of the run: "
                        "slow weights, which are kept, stay the initial ones",
                        lookahead->sync_period, steps / of_update));
}

std::vector<std::string> warnings_of(const PlannedRun& planned) {
    std::vector<std::string> warnings;
    warn_of_activations(planned.run.config.layers, warnings);
    const trainer::TrainConfig& train = planned.run.config.train;
    const RunEstimate& estimate = planned.estimate;
    if (!planned.run.data_traits.warning.empty()) {
        warnings.push_back(planned.run.data_traits.warning);
    }
    if (train.epochs == 0)
        warnings.push_back("epochs = 0: evaluates the initial weights, trains nothing");
    warn_of_steps(planned, warnings);
    warn_of_muon(planned.run, warnings);
    if (train.batch_size > estimate.training_samples) {
        warnings.push_back(fmt::format("batch_size {} is more than the {} training samples",
                                       train.batch_size, estimate.training_samples));
    }
    const bool has_batch_normalization = std::any_of(
        planned.run.config.layers.begin(), planned.run.config.layers.end(), [](const auto& layer) {
            return std::holds_alternative<trainer::BatchNormalizationConfig>(layer.kind);
        });
    if (has_batch_normalization && train.batch_size == 1) {
        warnings.push_back("batch normalization over batches of one sample has no variance");
    }
    if (planned.selects_on_test_set) {
        warnings.push_back("chooses its epoch by the test set: its test figures flatter");
    }
    for (const ExpectedFigure& figure : planned.run.expect) {
        if (figure.name != "parameters") continue;
        const auto expected = static_cast<std::int64_t>(figure.values.front());
        if (expected != planned.parameters) {
            warnings.push_back(fmt::format("has {} parameters, not the {} expected of its source",
                                           reports::thousands(planned.parameters),
                                           reports::thousands(expected)));
        }
    }
    return warnings;
}

PlannedRun plan_run(RunSpec taken, int ranks) {
    PlannedRun planned;
    planned.run = std::move(taken);
    const RunSpec& run = planned.run;
    planned.effective = effective_config(run);
    planned.id = run_id(run, planned.effective);
    planned.parameters = run.architecture.parameter_count();
    planned.trainable_parameters = run.architecture.trainable_count();
    planned.flops_per_image = run.architecture.flops();
    const trainer::DatasetTraits& traits = run.data_traits;
    count_samples(run, traits, planned.estimate);
    count_steps(run.config.train, planned.estimate);
    planned.estimate.training_flops = training_flops(planned);
    planned.estimate.memory_per_rank =
        memory_per_rank(planned, traits, run.config.parallel.ranks_per_run.value_or(ranks));
    planned.validates_on_test_set =
        std::holds_alternative<trainer::TestSetValidation>(run.config.data.validation);
    planned.selects_on_test_set =
        planned.validates_on_test_set && selects_by_validation(run.config.train);
    planned.lacks_initial_weights =
        !run.config.train.initial_weights.empty() && run.initial_weights_sha256.empty();
    planned.warnings = warnings_of(planned);
    return planned;
}

double in_mebibytes(std::int64_t bytes) {
    return std::round(static_cast<double>(bytes) / 1048576.0);
}

}  // namespace

Plan plan(ExperimentSpec spec, int ranks) {
    Plan result{std::move(spec.name), std::move(spec.title), {}, std::move(spec.notes)};
    result.runs.reserve(spec.runs.size());
    for (RunSpec& run : spec.runs) result.runs.push_back(plan_run(std::move(run), ranks));
    refuse_equal_runs(result.runs);
    return result;
}

storage::Table plan_table(const Plan& plan) {
    storage::Table table;
    table.columns = {"run",
                     "seed",
                     "parameters",
                     "trainable_parameters",
                     "epochs",
                     "steps_per_epoch",
                     "batch_size",
                     "training_samples",
                     "validation_samples",
                     "megaflop_per_image",
                     "training_teraflop",
                     "memory_per_rank_mib"};
    for (const PlannedRun& planned : plan.runs) {
        const trainer::TrainConfig& train = planned.run.config.train;
        const RunEstimate& estimate = planned.estimate;
        table.rows.push_back(
            {planned.id, static_cast<std::int64_t>(train.seed), planned.parameters,
             planned.trainable_parameters, std::int64_t{train.epochs}, estimate.steps_per_epoch,
             std::int64_t{train.batch_size}, estimate.training_samples, estimate.validation_samples,
             static_cast<double>(planned.flops_per_image) / 1e6, estimate.training_flops / 1e12,
             in_mebibytes(estimate.memory_per_rank)});
    }
    return table;
}

std::string plan_notes(const Plan& plan) {
    std::string text;
    for (const std::string& note : plan.notes) text += fmt::format("note: {}\n", note);
    for (const PlannedRun& planned : plan.runs) {
        for (const std::string& warning : planned.warnings) {
            text += fmt::format("note: {} {}\n", planned.id, warning);
        }
        if (planned.lacks_initial_weights)
            text += fmt::format("note: {} cannot read the initial weights {}\n", planned.id,
                                printable(planned.run.config.train.initial_weights.string()));
    }
    return text;
}

}  // namespace lockstep::pipeline
