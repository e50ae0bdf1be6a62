#include "pipeline/verbs/evaluate.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/exporting/saved_scale.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/progress/terminal_lines.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "pipeline/settings/words.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/run_queue.hpp"
#include "pipeline/verbs/network_notes.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/prediction_figures.hpp"
#include "reports/tables/accuracy_notes.hpp"
#include "reports/tables/class_tables.hpp"
#include "reports/tables/fitting_table.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/test_set_text.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/environment.hpp"
#include "trainer/evaluate.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kManyClasses = 20;   // more of them are not listed one by one
constexpr std::size_t kWorstClasses = 10;  // but these
constexpr std::size_t kUsualWidth = 100;   // characters, of what is no terminal

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
                            trainer::TestViews views, const trainer::Metrics& metrics) {
    storage::Table table{
        {"weights", "samples", "views", "count", "loss", "accuracy"},
        {{network.path.string(), std::string(name_of(split)), std::string(word_of(views)),
          metrics.count, metrics.loss, metrics.accuracy}}};
    if (metrics.top_5_accuracy) {  // of more than five classes
        table.columns.emplace_back("top_5_accuracy");
        table.rows.front().emplace_back(*metrics.top_5_accuracy);
    }
    return table;
}

trainer::TestViews views_in(const SavedNetwork& network, const EvaluateOptions& options) {
    if (options.views) return *options.views;
    return options.split == EvaluatedSplit::test ? network.planned.run.config.data.test_views
                                                 : trainer::TestViews::image;
}

reports::PredictionFigures class_figures(const trainer::RunData& data,
                                         const trainer::SampleSet& samples,
                                         const trainer::Evaluation& result) {
    storage::Predictions predictions;
    predictions.class_names = data.class_names;
    predictions.labels = samples.labels;
    predictions.probabilities = result.probabilities;
    return reports::prediction_figures(predictions);
}

// Below each other: the whole, the classes or the worst of them, and what was taken for what.
std::string text_for_people(const storage::Table& whole, const reports::PredictionFigures& figures,
                            reports::TableFormat format) {
    const std::size_t width = output_width().value_or(kUsualWidth);
    const storage::Table matrix = reports::confusion_matrix(figures);
    const bool fits = reports::table_width(matrix) <= width;
    const bool is_short = figures.classes.size() <= kManyClasses;
    std::vector<reports::Section> sections{
        {"result", whole},
        {is_short
             ? "classes"
             : fmt::format("the {} worst of {} classes", kWorstClasses, figures.classes.size()),
         reports::classes_table(figures, is_short ? std::nullopt : std::optional(kWorstClasses))}};
    if (fits)
        sections.push_back(
            {"confusion: rows are classes, columns what they were taken for", matrix});
    else
        sections.push_back({"what was most often taken for what",
                            reports::confusions_table(figures, kWorstClasses)});
    if (output_width())  // the matrix fits, or is no part of it
        for (reports::Section& section : sections)
            section.table = reports::fitted(std::move(section.table), width, {}).table;
    return reports::sections_text(sections, format);
}

// `figures` computes those of the classes, where they are shown.
template <class Figures>
void print_result(const storage::Table& whole, Figures figures, const EvaluateOptions& options) {
    if (!options.by && shows_to_people(options.format))
        return print(text_for_people(whole, figures(), options.format));
    switch (options.by.value_or(EvaluatedBy::all)) {
        case EvaluatedBy::all:
            return print_fitting(whole, options.format);
        case EvaluatedBy::classes:
            return print_fitting(reports::classes_table(figures()), options.format);
        case EvaluatedBy::confusion:
            return print_fitting(reports::confusions_table(figures()), options.format);
    }
}

// The data set whose samples are evaluated: the run's own, or another one.
trainer::DataConfig evaluated_data(const SavedNetwork& network, const EvaluateOptions& options) {
    trainer::DataConfig config = network.planned.run.config.data;
    config.classes = network.planned.run.class_names;
    config.scale = trainer::Scale::unit;  // pixel_scale_of() has the network's
    if (!options.dataset) return config;
    config.dataset = *options.dataset;
    config.path = options.network.data ? fs::absolute(*options.network.data)
                                       : trainer::place_of_files(config, config.path);
    if (options.split != EvaluatedSplit::validation) config.validation = trainer::NoValidation{};
    return config;
}

void check_shape(const SavedNetwork& network, const trainer::Dataset& dataset) {
    const trainer::Shape& input = network.planned.run.architecture.input;
    if (dataset.shape == input) return;
    throw Failure(kExitBadData, fmt::format("the network sees images {}, those of {} are {}",
                                            trainer::to_string(input), dataset.name,
                                            trainer::to_string(dataset.shape)));
}

// Pixels of any data set are scaled as those the network was trained on.
trainer::RunData select_data(const SavedNetwork& network, const EvaluateOptions& options,
                             const std::shared_ptr<const trainer::Dataset>& dataset) {
    check_shape(network, *dataset);
    trainer::RunData data = trainer::select_samples(dataset, evaluated_data(network, options),
                                                    network.planned.run.config.train.seed);
    data.scale = pixel_scale_of(network, options.dataset ? nullptr : dataset);
    return data;
}

// Under --dataset it is another one by the user's own word.
void tell_other_data(const SavedNetwork& network, const trainer::Dataset& dataset) {
    if (!is_other_data(network, dataset)) return;
    const std::string digest = note_in(network.file, "data_digest");
    tell_failure({kExitSuccess,
                  fmt::format("note: these data (SHA-256 {}...) are another data set than the one "
                              "the network was trained on ({}...); its pixel scale is kept",
                              dataset.digest.substr(0, 12), digest.substr(0, 12))});
}

// Where --data tells where another data set lies, the run's own stays where it was.
SavedNetworkOptions network_options(const EvaluateOptions& options) {
    SavedNetworkOptions network = options.network;
    if (options.dataset) network.data.reset();
    return network;
}

int evaluate_on(const trainer::Communicator& world, const EvaluateOptions& options) {
    SavedNetwork network;
    trainer::DataConfig config;
    do_on_all(world, [&] {
        network = read_saved_network(network_options(options));
        check_ranks({.experiment = {}, .title = {}, .runs = {network.planned}}, world.size());
        config = evaluated_data(network, options);
    });
    const auto dataset = load_on_nodes(config, world);
    trainer::RunData data;
    do_on_all(world, [&] {
        data = select_data(network, options, dataset);
        if (samples_of(data, options.split).count() == 0) {
            throw Failure(kExitBadSpec,
                          fmt::format("run \"{}\" has no {} samples",
                                      network.planned.run.config.name, name_of(options.split)));
        }
    });
    if (world.is_root()) tell_notes(network);
    if (world.is_root() && !options.dataset) tell_other_data(network, *data.dataset);
    trainer::agree_on_compute_environment(world);
    const trainer::TestViews views = views_in(network, options);
    const auto result = trainer::evaluate(network.planned.run.config, network.weights, data,
                                          samples_of(data, options.split), world, views);
    if (world.is_root()) {
        const auto figures = [&] {
            return class_figures(data, samples_of(data, options.split), result);
        };
        print_result(result_table(network, options.split, views, result.metrics), figures, options);
        if (data.dataset->name == reports::kSynthetic && !options.by &&
            shows_to_people(options.format))
            print(terminal_lines(reports::synthetic_note(true)));
    }
    return kExitSuccess;
}

}  // namespace

int evaluate(const EvaluateOptions& options, ProcessArguments arguments) {
    return do_with_ranks(
        arguments, [&](const trainer::Communicator& world) { return evaluate_on(world, options); });
}

}  // namespace lockstep::pipeline
