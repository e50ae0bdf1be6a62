#include "pipeline/experiment/dataset_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "trainer/data/dataset_kind.hpp"

namespace lockstep::pipeline {
namespace {

using trainer::DatasetKind;
using trainer::DatasetSetting;
using trainer::SettingValue;

template <class Type>
std::optional<SettingValue> value_of(const std::optional<Type>& read) {
    return read ? std::optional<SettingValue>(*read) : std::nullopt;
}

// One value of the table, by the type that the data set declares.
struct ReadSetting {
    TableReader& reader;
    std::string_view key;

    std::optional<SettingValue> operator()(const trainer::WholeSetting& setting) const {
        return value_of(reader.whole(key, {setting.least, setting.most}));
    }
    std::optional<SettingValue> operator()(const trainer::FractionSetting&) const {
        return value_of(reader.real(key, {.low = 0.0, .high = 1.0, .has_high = false}));
    }
    std::optional<SettingValue> operator()(const trainer::TruthSetting&) const {
        return value_of(reader.truth(key));
    }
    std::optional<SettingValue> operator()(const trainer::WordSetting& setting) const {
        const auto index = reader.choice_of(key, setting.words);
        if (!index) return std::nullopt;
        return std::string(setting.words[*index]);
    }
    std::optional<SettingValue> operator()(const trainer::SizeSetting& setting) const {
        return value_of(reader.pair(key, 1, setting.most));
    }
};

bool takes(const DatasetKind& kind, std::string_view key) {
    return std::ranges::find(kind.settings, key, &DatasetSetting::key) != kind.settings.end();
}

void read_settings_of(const DatasetKind& kind, TableReader& reader, trainer::DataConfig& config) {
    for (const DatasetSetting& setting : kind.settings) {
        auto value = std::visit(ReadSetting{reader, setting.key}, setting.type);
        if (value) config.settings.insert_or_assign(std::string(setting.key), std::move(*value));
    }
}

void check_settings_of_others(const DatasetKind& own, TableReader& reader) {
    std::set<std::string_view> checked;
    for (const DatasetKind& kind : trainer::dataset_kinds()) {
        for (const DatasetSetting& setting : kind.settings) {
            if (takes(own, setting.key) || !checked.insert(setting.key).second) continue;
            std::visit(ReadSetting{reader, setting.key}, setting.type);
        }
    }
}

std::string takers_of(std::string_view key) {
    std::vector<std::string> words;
    for (const DatasetKind& kind : trainer::dataset_kinds())
        if (takes(kind, key)) words.push_back(fmt::format("\"{}\"", kind.word));
    const bool is_one = words.size() == 1;
    return fmt::format("dataset = {} {}", fmt::join(words, " or "),
                       is_one ? "alone takes it" : "takes it");
}

// What is a part of a data set that is made, and not read.
bool is_number_of_samples(std::string_view key) { return key.ends_with("_samples"); }

}  // namespace

void read_dataset_settings(TableReader& reader, trainer::DataConfig& config) {
    std::vector<std::string_view> words;
    for (const DatasetKind& kind : trainer::dataset_kinds()) words.push_back(kind.word);
    if (const auto index = reader.choice_of("dataset", words)) config.dataset = words[*index];
    const DatasetKind& kind = trainer::dataset_kind(config.dataset);
    read_settings_of(kind, reader, config);
    check_settings_of_others(kind, reader);
}

void note_ignored_settings(const RunSpec& run, std::vector<std::string>& notes) {
    const DatasetKind& own = trainer::dataset_kind(run.config.data.dataset);
    std::set<std::string_view> seen;
    for (const DatasetKind& kind : trainer::dataset_kinds()) {
        for (const DatasetSetting& setting : kind.settings) {
            if (takes(own, setting.key) || !seen.insert(setting.key).second) continue;
            const std::string key = "data." + std::string(setting.key);
            const auto origin = run.origins.find(key);
            if (origin == run.origins.end()) continue;
            std::string note = fmt::format("{} ({}) changes nothing: {}", key, origin->second,
                                           takers_of(setting.key));
            if (is_number_of_samples(setting.key))
                note +=
                    "; a part of the files is taken by train.steps_per_epoch, data.classes or "
                    "data.validation";
            if (std::ranges::find(notes, note) == notes.end()) notes.push_back(std::move(note));
        }
    }
}

}  // namespace lockstep::pipeline
