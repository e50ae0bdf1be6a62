#include "pipeline/exporting/saved_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include "pipeline/exporting/imported_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/imported_experiment.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/recording/tensors.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/store_reading.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEffectiveConfig = "effective.toml";  // beside the weights of a run

// The weights, and the experiment file that describes their network.
struct Subject {
    fs::path weights;
    SpecOptions spec;  // without a file where the weights' own has to say it
};

std::string without_final(const storage::RunRow& row, const storage::RunFiles& files) {
    return fmt::format("run {} is {} and has no final weights yet; its files lie in {}", row.run,
                       storage::to_string(row.state), files.folder.string());
}

std::string without_best(const storage::RunRow& row) {
    return fmt::format(
        "run {} has no best.h5: it is kept where the experiment file has [checkpoint] "
        "with a monitor",
        row.run);
}

// Which file of a run, or beside it, is meant.
fs::path weights_of(const storage::RunRow& row, const storage::RunFiles& files,
                    const std::string& word) {
    const bool is_best = word == "best";
    if (!is_best && !word.empty() && word != "final") return word;
    fs::path path = is_best ? files.best : files.final_weights;
    if (fs::exists(path)) return path;
    throw Failure(kExitMissingInput, is_best ? without_best(row) : without_final(row, files));
}

Subject run_of_store(const SavedNetworkOptions& options) {
    const auto store = storage::RunStore::open(options.store);
    const auto row = the_run(open_for_reading(options.store), options.subject);
    const storage::RunFiles files = store.run_files(row.run);
    Subject subject{weights_of(row, files, options.weights), {}};
    subject.spec.file = files.effective_config;
    return subject;
}

Subject weights_file(const SavedNetworkOptions& options) {
    Subject subject{options.subject, {}};
    subject.spec.file = options.file;
    if (!options.run.empty()) subject.spec.only = {options.run};
    if (!options.file.empty()) return subject;
    if (!fs::exists(subject.weights)) storage::read_file(subject.weights);  // throws, in its words
    // Beside the weights that were trained here lies the file that describes them.
    subject.spec.file = subject.weights.parent_path() / kEffectiveConfig;
    if (!fs::exists(subject.spec.file)) subject.spec.file.clear();
    return subject;
}

Subject find_subject(const SavedNetworkOptions& options) {
    const fs::path path = options.subject;
    const bool is_file = fs::is_regular_file(path) || path.extension() == ".h5" ||
                         path.extension() == ".keras" || !options.file.empty();
    if (is_file && !options.weights.empty())
        throw UsageError(
            fmt::format("--weights chooses among those of a run; {} is a file", options.subject));
    Subject subject = is_file ? weights_file(options) : run_of_store(options);
    subject.spec.settings = options.settings;
    subject.spec.data = options.data;
    return subject;
}

// What its file does not tell, in a line.
std::vector<std::string> notes_on(const fs::path& path, const std::vector<std::string>& guesses) {
    if (guesses.empty()) return {};
    return {fmt::format("note: {} does not say which images it is for: {} guessed; --set decides",
                        path_text(path), fmt::join(guesses, " and "))};
}

struct Description {
    std::string experiment;  // TOML
    std::vector<std::string> notes;
};

// Of a file that brings its network along.
Description describe_model(const fs::path& path, storage::ModelFile& file) {
    if (file.model_config_json.empty())
        throw UsageError(
            fmt::format("{}: which network is it of? Say --file exp.toml, and --run NAME "
                        "where the file has several runs",
                        path_text(path)));
    const ImportedNetwork imported = imported_network(file, path_text(path));
    const std::vector<std::string> names = class_names_in(file);
    if (names.empty() && !has_known_images(imported.network, imported.classes))
        throw UsageError(fmt::format(
            "{}: no data set known here has images {} and {} classes; make an experiment file of "
            "it (lockstep import), say in [data] which images it is for, and give it with --file",
            path_text(path), trainer::to_string(imported.network.input), imported.classes));
    const ImportedExperiment import{
        .source = path_text(path.filename()),
        .initial_weights = {},
        .training = {},
        .class_names = names,
        .scale = pixel_scale_in(file, path_text(path), imported.network.input.channels)};
    return {imported_toml(imported.network, imported.classes, import),
            notes_on(path, guesses_of(imported.network, imported.classes, import))};
}

Description describe(const Subject& subject, storage::ModelFile& file) {
    if (subject.spec.file.empty()) return describe_model(subject.weights, file);
    const std::string text = read_experiment_file(subject.spec.file);
    // Version 0.1.0 wrote the bytes of paths into effective.toml as they were.
    return {subject.spec.file.filename() == kEffectiveConfig ? with_named_bytes(text) : text, {}};
}

PlannedRun the_planned_run(Subject subject, const std::string& text,
                           const storage::ModelFile& file) {
    subject.spec.saved_classes = class_names_in(file);
    if (subject.spec.file.empty()) subject.spec.file = subject.weights;  // in messages
    Plan plan = plan_experiment(text, subject.spec);
    if (plan.runs.size() == 1) return std::move(plan.runs.front());
    throw UsageError(fmt::format("{} has {} runs; say which one with --run NAME",
                                 subject.spec.file.string(), plan.runs.size()));
}

}  // namespace

SavedNetwork read_saved_network(const SavedNetworkOptions& options) {
    const Subject subject = find_subject(options);
    storage::ModelFile file = storage::read_model_file(subject.weights);
    Description description = describe(subject, file);
    PlannedRun planned = the_planned_run(subject, description.experiment, file);
    SavedNetwork network{
        subject.weights, std::move(planned), std::move(file), {}, std::move(description.notes)};
    storage::ModelFile weights;
    weights.weights = std::exchange(network.file.weights, {});
    weights.places = std::exchange(network.file.places, {});
    network.weights =
        to_tensors(std::move(weights), network.planned.run.architecture, subject.weights.string());
    return network;
}

}  // namespace lockstep::pipeline
