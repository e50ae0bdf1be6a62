#include "trainer/data/dataset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "trainer/data/arrays.hpp"
#include "trainer/data/cifar10.hpp"
#include "trainer/data/cifar100.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/data/idx.hpp"
#include "trainer/data/image_file.hpp"
#include "trainer/data/image_folder.hpp"
#include "trainer/data/synthetic.hpp"

namespace lockstep::trainer {

const std::vector<DatasetKind>& dataset_kinds() {
    static const std::vector<DatasetKind> kKinds{
        cifar10_kind(),        //
        cifar100_kind(),       //
        mnist_kind(),          //
        fashion_mnist_kind(),  //
        image_folder_kind(),   //
        arrays_kind(),         //
        synthetic_kind(),      //
    };
    return kKinds;
}

namespace {

struct PresetOf {
    SettingValue operator()(const WholeSetting& setting) const { return setting.preset; }
    SettingValue operator()(const FractionSetting& setting) const { return setting.preset; }
    SettingValue operator()(const TruthSetting& setting) const { return setting.preset; }
    SettingValue operator()(const WordSetting& setting) const {
        return std::string(setting.words.front());
    }
    SettingValue operator()(const SizeSetting& setting) const { return setting.preset; }
};

struct TextOf {
    std::string operator()(const auto& plain) const { return fmt::format("{}", plain); }
    std::string operator()(const std::array<int, 2>& size) const {
        return fmt::format("{}x{}", size[0], size[1]);
    }
};

bool has_files_in(DataConfig& config, const std::filesystem::path& folder) {
    config.path = folder;
    try {
        dataset_kind(config.dataset).require(config);
        return true;
    } catch (const DataError&) {
        return false;
    }
}

}  // namespace

SettingValue DatasetSetting::preset() const { return std::visit(PresetOf{}, type); }

const DatasetKind& dataset_kind(std::string_view word) {
    const auto& kinds = dataset_kinds();
    const auto found = std::ranges::find(kinds, word, &DatasetKind::word);
    if (found == kinds.end())
        throw std::invalid_argument(fmt::format("\"{}\" is no data set", word));
    return *found;
}

const DatasetSetting& declared_setting(const DataConfig& config, std::string_view key) {
    const auto& settings = dataset_kind(config.dataset).settings;
    const auto found = std::ranges::find(settings, key, &DatasetSetting::key);
    if (found == settings.end())
        throw std::invalid_argument(fmt::format("{} has no setting {}", config.dataset, key));
    return *found;
}

SettingValue setting_value(const DataConfig& config, const DatasetSetting& setting) {
    const auto set = config.settings.find(setting.key);
    return set == config.settings.end() ? setting.preset() : set->second;
}

Resizing resizing_for(const DataConfig& config) {
    const DatasetKind& kind = dataset_kind(config.dataset);
    return kind.resizing == nullptr ? Resizing{} : kind.resizing(config);
}

std::filesystem::path place_of_files(DataConfig config, const std::filesystem::path& folder) {
    const std::filesystem::path& place = dataset_kind(config.dataset).usual_place;
    if (place.empty() || has_files_in(config, folder) || !has_files_in(config, place))
        return folder;
    return place;
}

std::string dataset_key(const DataConfig& config) {
    const DatasetKind& kind = dataset_kind(config.dataset);
    std::string key(kind.word);
    for (const DatasetSetting& setting : kind.settings)
        key += ' ' + std::visit(TextOf{}, setting_value(config, setting));
    return kind.has_files ? key + ' ' + config.path.string() : key;
}

std::shared_ptr<const Dataset> load_dataset(const DataConfig& config) {
    auto dataset = std::make_shared<const Dataset>(dataset_kind(config.dataset).load(config));
    if (dataset->class_names.size() > kMostClasses)
        throw DataError(
            DataError::Kind::damaged,
            fmt::format("{} in {} has {} classes; labels tell {} apart", config.dataset,
                        config.path.string(), dataset->class_names.size(), kMostClasses));
    return dataset;
}

void require_dataset(const DataConfig& config) { dataset_kind(config.dataset).require(config); }

DatasetTraits dataset_traits(const DataConfig& config) {
    return dataset_kind(config.dataset).traits(config);
}

DatasetTraits nominal_traits(const DataConfig& config) {
    return dataset_kind(config.dataset).nominal_traits(config);
}

}  // namespace lockstep::trainer
