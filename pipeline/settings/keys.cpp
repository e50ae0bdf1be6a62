#include "pipeline/settings/keys.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "pipeline/settings/optimizer_settings.hpp"
#include "trainer/data/dataset_kind.hpp"

namespace lockstep::pipeline {
namespace {

using Keys = std::string_view[];

constexpr Keys kFile = {"schema",     "experiment", "data",  "train", "parallel",
                        "checkpoint", "sweep",      "block", "run"};
constexpr Keys kExperiment = {"name", "title"};
constexpr Keys kRun = {"name",     "title",      "source", "data",  "train",
                       "parallel", "checkpoint", "layers", "expect"};
constexpr Keys kData = {"dataset",    "path",         "classes",   "scale",
                        "validation", "augmentation", "test_views"};  // and those of data sets
constexpr Keys kValidation = {"first", "fraction"};
constexpr Keys kTrain = {"batch_size",     "epochs",          "steps_per_epoch", "shuffle",
                         "seed",           "seeds",           "optimizer",       "schedule",
                         "early_stopping", "initial_weights", "record_steps",    "label_smoothing",
                         "class_weights"};
constexpr Keys kParallel = {"shards", "exchange", "ranks_per_run"};
constexpr Keys kEarlyStopping = {"monitor", "mode", "patience", "min_delta",
                                 "restore_best_weights"};
constexpr Keys kCheckpoint = {"monitor", "mode", "restore_best_weights", "every_minutes"};
// Of every optimizer, before and behind those of its rule.
constexpr Keys kOptimizer = {"name", "learning_rate"};
constexpr Keys kUpdates = {"weight_decay",
                           "exclude_from_weight_decay",
                           "learning_rate_factors",
                           "global_clipnorm",
                           "use_ema",
                           "ema_momentum",
                           "ema_overwrite_frequency",
                           "lookahead",
                           "gradient_accumulation_steps"};
constexpr Keys kLookahead = {"sync_period", "slow_step_size", "power", "over_epochs",
                             "moving_statistics"};
constexpr Keys kFactors = {"kernel", "depthwise_kernel", "pointwise_kernel", "bias", "gamma",
                           "beta"};
constexpr Keys kConstant = {"name", "warmup_epochs"};
constexpr Keys kStep = {"name", "every_epochs", "factor", "warmup_epochs"};
constexpr Keys kExponential = {"name", "every_epochs", "factor", "warmup_epochs"};
constexpr Keys kCosine = {"name", "over_epochs", "final_factor", "warmup_epochs"};
constexpr Keys kPiecewise = {"name", "epochs", "factors", "warmup_epochs"};
constexpr Keys kOneCycle = {"name",    "over_epochs",  "start_factor",
                            "peak_at", "final_factor", "warmup_epochs"};
constexpr Keys kPlateau = {"name",     "monitor",           "mode",
                           "factor",   "patience",          "min_delta",
                           "cooldown", "min_learning_rate", "warmup_epochs"};
constexpr Keys kExpect = {"parameters",    "loss",          "accuracy",
                          "val_loss",      "val_accuracy",  "test_loss",
                          "test_accuracy", "best_val_loss", "best_val_accuracy"};
constexpr Keys kRandomFlip = {"type", "mode"};
constexpr Keys kRandomCrop = {"type", "padding", "fill_mode", "fill_value"};
constexpr Keys kRandomTranslation = {"type", "height_factor", "width_factor", "fill_mode",
                                     "fill_value"};
constexpr Keys kRandomRotation = {"type", "factor", "fill_mode", "fill_value"};
constexpr Keys kRandomZoom = {"type", "height_factor", "width_factor", "fill_mode", "fill_value"};
constexpr Keys kRandomFactor = {"type", "factor"};
constexpr Keys kCutout = {"type", "size", "fill_value"};
constexpr Keys kMixup = {"type", "alpha"};
constexpr Keys kBlock = {"defaults", "layers"};
constexpr Keys kBlockUse = {"block", "name", "inputs", "repeat"};
constexpr Keys kRegularizer = {"l2"};
constexpr Keys kInitializer = {"name", "mean",  "stddev", "minval", "maxval",
                               "gain", "value", "images", "epsilon"};

// In the order of KeyGroup; without what data sets take for themselves. Optimizers have
// kUpdates alone, whole_lists() adds the rest.
constexpr std::array<KeyList, 40> kOwnKeys{{
    {"Top level", kFile},
    {"[experiment]", kExperiment},
    {"[[run]]", kRun},
    {"[data]", kData},
    {"validation", kValidation},
    {"[train]", kTrain},
    {"[parallel]", kParallel},
    {"early_stopping", kEarlyStopping},
    {"[checkpoint]", kCheckpoint},
    {"optimizer sgd", kUpdates},
    {"optimizer adam and adamw", kUpdates},
    {"optimizer rmsprop", kUpdates},
    {"optimizer lion", kUpdates},
    {"optimizer adagrad", kUpdates},
    {"optimizer nadam", kUpdates},
    {"optimizer muon", kUpdates},
    {"learning_rate_factors", kFactors},
    {"lookahead", kLookahead},
    {"schedule constant", kConstant},
    {"schedule step", kStep},
    {"schedule exponential", kExponential},
    {"schedule cosine", kCosine},
    {"schedule piecewise", kPiecewise},
    {"schedule one_cycle", kOneCycle},
    {"schedule reduce_on_plateau", kPlateau},
    {"expect", kExpect},
    {"augmentation random_flip", kRandomFlip},
    {"augmentation random_crop", kRandomCrop},
    {"augmentation random_translation", kRandomTranslation},
    {"augmentation random_rotation", kRandomRotation},
    {"augmentation random_zoom", kRandomZoom},
    {"augmentation random_brightness and random_contrast", kRandomFactor},
    {"augmentation random_brightness and random_contrast", kRandomFactor},
    {"augmentation cutout", kCutout},
    {"augmentation mixup", kMixup},
    {"kernel_regularizer", kRegularizer},
    {"kernel_initializer", kInitializer},
    {"trainable_epochs", kFactors},
    {"block", kBlock},
    {"use of a block", kBlockUse},
}};

template <class Rule>
std::vector<std::string_view> optimizer_keys() {
    std::vector<std::string_view> keys(std::begin(kOptimizer), std::end(kOptimizer));
    for_each_setting(Rule(), [&](const auto& setting) { keys.push_back(setting.key); });
    keys.insert(keys.end(), std::begin(kUpdates), std::end(kUpdates));
    return keys;
}

// Those of [data], each once: kData, then the settings of the data sets in their order.
std::vector<std::string_view> data_keys() {
    std::vector<std::string_view> keys(std::begin(kData), std::end(kData));
    for (const trainer::DatasetKind& kind : trainer::dataset_kinds())
        for (const trainer::DatasetSetting& setting : kind.settings)
            if (std::ranges::find(keys, setting.key) == keys.end()) keys.push_back(setting.key);
    return keys;
}

// With those that are told elsewhere.
std::array<KeyList, kOwnKeys.size()> whole_lists() {
    static const std::array<std::pair<KeyGroup, std::vector<std::string_view>>, 8> kTold{{
        {KeyGroup::data, data_keys()},
        {KeyGroup::optimizer_sgd, optimizer_keys<trainer::SgdConfig>()},
        {KeyGroup::optimizer_adam, optimizer_keys<trainer::AdamConfig>()},
        {KeyGroup::optimizer_rmsprop, optimizer_keys<trainer::RmspropConfig>()},
        {KeyGroup::optimizer_lion, optimizer_keys<trainer::LionConfig>()},
        {KeyGroup::optimizer_adagrad, optimizer_keys<trainer::AdagradConfig>()},
        {KeyGroup::optimizer_nadam, optimizer_keys<trainer::NadamConfig>()},
        {KeyGroup::optimizer_muon, optimizer_keys<trainer::MuonConfig>()},
    }};
    auto all = kOwnKeys;
    for (const auto& [group, keys] : kTold) all[static_cast<std::size_t>(group)].keys = keys;
    return all;
}

}  // namespace

std::span<const KeyList> keys_of_tables() {
    static const auto kAllKeys = whole_lists();
    return kAllKeys;
}

const KeyList& keys_of(KeyGroup group) { return keys_of_tables()[static_cast<std::size_t>(group)]; }

}  // namespace lockstep::pipeline
