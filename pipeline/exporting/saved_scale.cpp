#include "pipeline/exporting/saved_scale.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/recording/weights_notes.hpp"
#include "pipeline/settings/words.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/data/pixel_scale.hpp"

namespace lockstep::pipeline {
namespace {

bool is_set_by_hand(const RunSpec& run, const std::string& key) {
    const auto origin = run.origins.find(key);
    return origin != run.origins.end() && origin->second == "--set";
}

// Of "unit" and "raw", which are the same for all data.
trainer::PixelScale fixed_scale(const RunSpec& run) {
    return trainer::pixel_scale(run.config.data.scale, {}, run.architecture.input);
}

void check_agreement(const SavedNetwork& network, const trainer::PixelScale& stored) {
    const RunSpec& run = network.planned.run;
    const trainer::Scale scale = run.config.data.scale;
    if (scale == trainer::Scale::standard || stored == fixed_scale(run)) return;
    throw Failure(kExitBadData,
                  fmt::format("{} takes pixels with offset {} and divisor {}, but run \"{}\" has "
                              "scale \"{}\"; --set data.scale=... decides",
                              network.path.string(), note_of(stored.offset),
                              note_of(stored.divisor), run.config.name, word_of(scale)));
}

std::shared_ptr<const trainer::Dataset> load_for_scale(const SavedNetwork& network) {
    try {
        return trainer::load_dataset(network.planned.run.config.data);
    } catch (const trainer::DataError& error) {
        throw trainer::DataError(
            error.kind(),
            fmt::format("scale \"standard\" takes mean and deviation from the training samples; {} "
                        "does not hold them, so the data set is needed: {}",
                        network.path.string(), error.what()));
    }
}

// What was loaded for a run's data.
std::string words_of(const trainer::DataConfig& data) {
    if (trainer::dataset_kind(data.dataset).has_files) return "the one in " + data.path.string();
    return fmt::format("the {} one of these settings", data.dataset);
}

trainer::PixelScale scale_of_data(const SavedNetwork& network,
                                  std::shared_ptr<const trainer::Dataset> dataset) {
    const trainer::RunConfig& config = network.planned.run.config;
    if (is_other_data(network, *dataset)) {
        throw Failure(kExitBadData,
                      fmt::format("{} was trained on another data set than {}: scale \"standard\" "
                                  "takes its mean and deviation from the "
                                  "data, and the file does not hold them",
                                  network.path.string(), words_of(config.data)));
    }
    return trainer::select_samples(std::move(dataset), config.data, config.train.seed).scale;
}

}  // namespace

bool is_other_data(const SavedNetwork& network, const trainer::Dataset& dataset) {
    const std::string trained_on = note_in(network.file, "data_digest");
    return !trained_on.empty() && trained_on != dataset.digest;
}

trainer::PixelScale pixel_scale_of(const SavedNetwork& network,
                                   std::shared_ptr<const trainer::Dataset> own) {
    const RunSpec& run = network.planned.run;
    if (!is_set_by_hand(run, "data.scale")) {
        const auto stored =
            pixel_scale_in(network.file, network.path.string(), run.architecture.input.channels);
        if (stored) {
            check_agreement(network, *stored);
            return *stored;
        }
    }
    if (run.config.data.scale != trainer::Scale::standard) return fixed_scale(run);
    return scale_of_data(network, own ? std::move(own) : load_for_scale(network));
}

}  // namespace lockstep::pipeline
