#include "pipeline/recording/weights_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "storage/files/storage_error.hpp"
#include "storage/weights/shallow_json.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const storage::StateValue& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    return fmt::format("{}", std::get<double>(value));
}

Json list_in(const storage::ModelFile& file, std::string_view name) {
    Json list = storage::parse_shallow_json(note_in(file, name));
    return list.is_array() ? list : Json::array();
}

// Finite numbers, one a channel.
std::vector<float> numbers_in(const storage::ModelFile& file, const std::string& origin,
                              std::string_view name, int channels) {
    std::vector<float> numbers;
    for (const Json& number : list_in(file, name)) {
        if (number.is_number() && std::isfinite(number.get<float>())) {
            numbers.push_back(number.get<float>());
        }
    }
    if (numbers.size() == static_cast<std::size_t>(channels)) return numbers;
    throw storage::StorageError(
        storage::StorageError::Kind::bad_data,
        fmt::format("{}: its note {} is no list of {} numbers, one a channel", origin, name,
                    channels));
}

}  // namespace

std::string note_of(const std::vector<float>& values) { return Json(values).dump(); }
std::string note_of(const std::vector<std::string>& texts) { return Json(texts).dump(); }

std::string note_in(const storage::ModelFile& file, std::string_view name) {
    if (!file.state) return {};
    const auto found = file.state->values.find(std::string(name));
    return found == file.state->values.end() ? "" : text_of(found->second);
}

bool is_of_lockstep(const storage::ModelFile& file) {
    return !note_in(file, "lockstep_version").empty();
}

std::optional<storage::StateGroup> notes_in(const storage::ModelFile& file) {
    constexpr std::array kOfNetwork{kClassNamesNote, kPixelOffsetNote, kPixelDivisorNote,
                                    kPixelScalingNote, kOutputNote};
    if (!file.state) return std::nullopt;
    storage::StateGroup notes;
    const auto copy = [&](std::string_view name) {
        const auto found = file.state->values.find(std::string(name));
        if (found != file.state->values.end()) notes.values.insert(*found);
    };
    std::ranges::for_each(kOfNetwork, copy);
    std::ranges::for_each(kOriginNotes, copy);
    return notes.values.empty() ? std::nullopt : std::optional(std::move(notes));
}

std::optional<trainer::PixelScale> pixel_scale_in(const storage::ModelFile& file,
                                                  const std::string& origin, int channels) {
    if (note_in(file, kPixelOffsetNote).empty()) return std::nullopt;
    trainer::PixelScale scale{numbers_in(file, origin, kPixelOffsetNote, channels),
                              numbers_in(file, origin, kPixelDivisorNote, channels)};
    if (std::ranges::find(scale.divisor, 0.0F) == scale.divisor.end()) return scale;
    throw storage::StorageError(storage::StorageError::Kind::bad_data,
                                fmt::format("{}: its note {} has a 0", origin, kPixelDivisorNote));
}

std::vector<std::string> class_names_in(const storage::ModelFile& file) {
    std::vector<std::string> names;
    for (const Json& name : list_in(file, kClassNamesNote)) {
        if (name.is_string()) names.push_back(name.get<std::string>());
    }
    return names;
}

}  // namespace lockstep::pipeline
