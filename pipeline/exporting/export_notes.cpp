#include "pipeline/exporting/export_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <variant>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/keras_config.hpp"
#include "trainer/data/pixel_scale.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// Names of the attributes of /lockstep that tell what the weights are.
constexpr std::array<std::string_view, 6> kOriginKeys{
    "run", "seed", "epoch", "config_digest", "data_digest", "lockstep_version"};

std::string text_of(const storage::StateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    return fmt::format("{}", std::get<double>(value));
}

// "" where the file does not say it.
std::string origin_text(const SavedNetwork& network, std::string_view key) {
    if (!network.file.state) return {};
    const auto& values = network.file.state->values;
    const auto found = values.find(std::string(key));
    return found == values.end() ? "" : text_of(found->second);
}

void check_data(const SavedNetwork& network, const trainer::Dataset& dataset) {
    const std::string trained_on = origin_text(network, "data_digest");
    if (trained_on.empty() || trained_on == dataset.digest) return;
    throw Failure(
        kExitBadData,
        fmt::format("{} was trained on another data set than the one that lies in {}: "
                    "scale \"standard\" takes its mean and deviation from the data",
                    network.path.string(), network.planned.run.config.data.path.string()));
}

bool is_identity(const trainer::PixelScale& scale) {
    const auto all = [](const std::vector<float>& values, float wanted) {
        return std::all_of(values.begin(), values.end(), [&](float v) { return v == wanted; });
    };
    return all(scale.offset, 0.0F) && all(scale.divisor, 1.0F);
}

std::string scaling_text(const trainer::PixelScale& scale, ScalingPlace place) {
    if (is_identity(scale)) return "none: takes pixels from 0 to 255 as they are";
    if (place == ScalingPlace::inside) {
        return "inside: takes pixels from 0 to 255 and computes (pixel - offset) / divisor itself";
    }
    return "by the caller: takes (pixel - offset) / divisor of pixels from 0 to 255";
}

}  // namespace

trainer::PixelScale pixel_scale_of(const SavedNetwork& network) {
    const trainer::RunConfig& config = network.planned.run.config;
    if (config.data.scale != trainer::Scale::standard) {
        return trainer::pixel_scale(config.data.scale, {}, network.planned.run.architecture.input);
    }
    const auto dataset = trainer::load_dataset(config.data);
    check_data(network, *dataset);
    return trainer::select_samples(dataset, config.data, config.train.seed).scale;
}

ExportNotes export_notes(const SavedNetwork& network, const trainer::PixelScale& scale,
                         ScalingPlace scaling) {
    const bool gives_probabilities =
        scaling == ScalingPlace::inside || ends_in_softmax(network.planned.run.config);
    ExportNotes notes{{"class_names", Json(network.planned.run.class_names).dump()},
                      {"pixel_offset", Json(scale.offset).dump()},
                      {"pixel_divisor", Json(scale.divisor).dump()},
                      {"pixel_scaling", scaling_text(scale, scaling)},
                      {"output", gives_probabilities ? "probabilities" : "logits"}};
    for (const std::string_view key : kOriginKeys) {
        const std::string text = origin_text(network, key);
        if (!text.empty()) notes.emplace_back(key, text);
    }
    return notes;
}

std::string to_json(const ExportNotes& notes) {
    Json json = Json::object();
    for (const auto& [key, text] : notes) json[key] = text;
    // A weights file of another program may hold texts that are no UTF-8.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lockstep::pipeline
