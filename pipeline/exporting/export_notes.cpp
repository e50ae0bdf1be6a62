#include "pipeline/exporting/export_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "pipeline/keras/keras_config.hpp"
#include "pipeline/recording/weights_notes.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

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

ExportNotes export_notes(const SavedNetwork& network, const trainer::PixelScale& scale,
                         ScalingPlace scaling) {
    const bool gives_probabilities =
        scaling == ScalingPlace::inside || ends_in_softmax(network.planned.run.config);
    ExportNotes notes{{std::string(kClassNamesNote), note_of(network.planned.run.class_names)},
                      {std::string(kPixelOffsetNote), note_of(scale.offset)},
                      {std::string(kPixelDivisorNote), note_of(scale.divisor)},
                      {std::string(kPixelScalingNote), scaling_text(scale, scaling)},
                      {std::string(kOutputNote), gives_probabilities ? "probabilities" : "logits"}};
    for (const std::string_view key : kOriginNotes) {
        const std::string text = note_in(network.file, key);
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
