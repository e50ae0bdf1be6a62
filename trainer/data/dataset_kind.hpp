#pragma once

// What Lockstep knows of a data set before any image is read. One file in trainer/data/ makes a
// kind, and dataset_kinds() (dataset.hpp) lists it: docs/data.md, "How a data set is made known".

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::trainer {

struct Resizing;  // image_file.hpp

// ---- the settings of [data] that a kind takes for itself -------------------------------------

struct WholeSetting {
    std::int64_t preset;
    std::int64_t least;
    std::int64_t most;
};
struct FractionSetting {
    double preset;  // in [0, 1)
};
struct TruthSetting {
    bool preset;
};
struct WordSetting {
    std::vector<std::string_view> words;  // the first is the preset
};
struct SizeSetting {
    std::array<int, 2> preset;  // [height, width]
    int most;
};

struct DatasetSetting {
    std::string_view key;  // in [data]; kinds that share a key share its meaning
    std::variant<WholeSetting, FractionSetting, TruthSetting, WordSetting, SizeSetting> type;

    SettingValue preset() const;
};

// ---- a kind ----------------------------------------------------------------------------------

struct DatasetKind {
    std::string_view word;  // data.dataset
    std::vector<DatasetSetting> settings{};
    bool has_files = true;                // read from data.path
    std::filesystem::path usual_place{};  // where a system's package puts them; empty: none does

    // Each is given the settings of a run with this kind, and throws DataError.
    Dataset (*load)(const DataConfig&);
    void (*require)(const DataConfig&);  // (missing) unless its files are there; reads no images
    // As far as it is known without reading images. Where files are missing or damaged they are
    // nominal, if the kind has such traits; what is wrong is then told by loading.
    DatasetTraits (*traits)(const DataConfig&);
    // Those of the complete set as it is published, whatever lies in data.path.
    DatasetTraits (*nominal_traits)(const DataConfig&);
    // How image files become its images; null: as Resizing does by default.
    Resizing (*resizing)(const DataConfig&) = nullptr;
};

// Every kind there is, in the order messages list them.
const std::vector<DatasetKind>& dataset_kinds();
// Throws std::invalid_argument for a word that is none of theirs.
const DatasetKind& dataset_kind(std::string_view word);

// A setting of the kind that the configuration names: what was set, else its preset.
SettingValue setting_value(const DataConfig& config, const DatasetSetting& setting);
template <class Type>
Type setting(const DataConfig& config, std::string_view key);

// How a file becomes an image like those of the data set.
Resizing resizing_for(const DataConfig& config);

// Where files of a kind lie when nobody names a place: in `folder`, or, if they are there and not
// in `folder`, where a system's package puts them.
std::filesystem::path place_of_files(DataConfig config, const std::filesystem::path& folder);

// ---- implementation --------------------------------------------------------------------------

const DatasetSetting& declared_setting(const DataConfig& config, std::string_view key);

template <class Type>
Type setting(const DataConfig& config, std::string_view key) {
    return std::get<Type>(setting_value(config, declared_setting(config, key)));
}

}  // namespace lockstep::trainer
