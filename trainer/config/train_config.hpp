#pragma once

// Plain settings of one run: what is trained, on what, and how. The experiment file is read into
// these by the pipeline; the trainer takes them as checked. Names are Keras' own.

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "trainer/config/augmentation_config.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::trainer {

// ---- data ----------------------------------------------------------------------------------

// Of a setting that one data set takes and others do not: a number, a truth, a word, [height,
// width].
using SettingValue = std::variant<std::int64_t, double, bool, std::string, std::array<int, 2>>;

enum class Scale {
    unit,      // pixels / 255
    raw,       // 0..255
    standard,  // (pixels - mean) / deviation, per channel, over the training samples
};

struct NoValidation {};
struct TestSetValidation {};
struct FirstValidation {
    std::int64_t count = 0;  // the first n training samples validate, the others train
};
struct FractionValidation {
    double fraction = 0.0;  // of every class, stratified; in (0, 1)
};
using ValidationConfig =
    std::variant<NoValidation, TestSetValidation, FirstValidation, FractionValidation>;

// What test figures look at: the logits of an image are the mean over views of it.
enum class TestViews {
    image,             // as it is
    mirror,            // and its mirror: two views
    mirror_translate,  // and both moved by a pixel along the diagonal, either way: six views
};

struct DataConfig {
    std::string dataset = "cifar10";  // the word of a DatasetKind (trainer/data/dataset_kind.hpp)
    std::filesystem::path path;       // of its files: a folder, or what the data set takes
    std::filesystem::path cache_folder;  // for what is decoded from files; empty: none
    std::map<std::string, SettingValue, std::less<>> settings;  // its own; absent: their presets
    std::vector<std::string> classes;  // names of the classes used, in label order; empty: all
    Scale scale = Scale::unit;
    ValidationConfig validation = NoValidation{};
    std::vector<AugmentationConfig> augmentation;  // of training images, in this order
    TestViews test_views = TestViews::image;       // of test images; validation sees each as it is
};

// ---- training ------------------------------------------------------------------------------

struct SgdConfig {
    double momentum = 0.0;
    bool nesterov = false;
};
struct AdamConfig {
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    double epsilon = 1e-7;
};
struct RmspropConfig {
    double rho = 0.9;
    double momentum = 0.0;
    double epsilon = 1e-7;
};
struct LionConfig {
    double beta_1 = 0.9;
    double beta_2 = 0.99;
};
struct AdagradConfig {
    double initial_accumulator_value = 0.1;
    double epsilon = 1e-7;
};
struct NadamConfig {
    double beta_1 = 0.9;
    double beta_2 = 0.999;
    double epsilon = 1e-7;
};
// Matrices move along their momentum, made nearly orthogonal; all else by AdamW: docs/muon.md.
struct MuonConfig {
    double adam_beta_1 = 0.9;
    double adam_beta_2 = 0.999;
    double epsilon = 1e-7;             // AdamW's
    double adam_weight_decay = 0.004;  // in place of the optimizer's
    double adam_lr_ratio = 1.0;        // of the learning rate
    double momentum = 0.95;
    bool nesterov = true;
    int ns_steps = 5;  // of Newton and Schulz
    double muon_a = 3.4445;
    double muon_b = -4.7750;
    double muon_c = 2.0315;
    std::optional<double> rms_rate = 0.2;
    std::vector<std::string> exclude_layers{};  // parts of layer/tensor: by AdamW
    bool exclude_convolutions = true;
};

// Exponential moving average of the weights: average = momentum x average + (1 - momentum) x weight
// after each step.
struct EmaConfig {
    double momentum = 0.99;
    std::optional<std::int64_t> overwrite_frequency{};  // in updates: weight = average
};
// Lookahead: after every sync_period updates  slow += s (weight - slow),  weight = slow, where
// s = 1 - (1 - slow_step_size) (t / over_epochs)^power and t is the number of epochs gone by.
struct LookaheadConfig {
    std::int64_t sync_period = 6;
    double slow_step_size = 0.5;
    double power = 0.0;              // 0: s is slow_step_size from the beginning
    double over_epochs = 1;          // afterwards s stays
    bool moving_statistics = false;  // those of batch normalization likewise
};
// What is validated, kept as best and final in place of the weights; none.
using AverageConfig = std::variant<std::monostate, EmaConfig, LookaheadConfig>;

// Of the learning rate, for the tensors of that name in every layer.
struct TensorFactor {
    std::string tensor;
    double factor = 1.0;
};

struct OptimizerConfig {
    double learning_rate = 1e-3;
    std::variant<SgdConfig, AdamConfig, RmspropConfig, LionConfig, AdagradConfig, NadamConfig,
                 MuonConfig>
        rule = AdamConfig{};
    // Before each step w -= learning rate x weight_decay x w: "decoupled", as Keras does it.
    double weight_decay = 0.0;
    std::vector<std::string> exclude_from_weight_decay{};  // names of tensors: bias, gamma, beta
    std::vector<TensorFactor> learning_rate_factors{};     // beside those of layers: they multiply
    std::optional<double> global_clipnorm{};  // gradients of a greater norm are scaled down to it
    AverageConfig average{};
    std::int64_t gradient_accumulation_steps = 1;  // an update, by their mean gradient
};
inline bool has_average(const OptimizerConfig& optimizer) {
    return !std::holds_alternative<std::monostate>(optimizer.average);
}

// The learning rate at a step is learning_rate x shape(t) x warmup(t), where t is the number of
// epochs gone by (steps taken / steps per epoch, a fraction).
struct ConstantSchedule {};
struct StepSchedule {
    double every_epochs = 1;  // shape = factor ^ floor(t / every_epochs)
    double factor = 0.1;
};
struct ExponentialSchedule {
    double every_epochs = 1;  // shape = factor ^ (t / every_epochs)
    double factor = 0.9;
};
struct CosineSchedule {
    double over_epochs = 1;     // shape falls from 1 to final_factor along half a cosine
    double final_factor = 0.0;  // and stays there
};
struct PiecewiseSchedule {
    std::vector<double> epochs;   // ascending; before the first shape = 1
    std::vector<double> factors;  // shape = factors[i] from epochs[i] on, up to the next
};
struct OneCycleSchedule {
    double over_epochs = 1;      // shape is a straight line from start_factor to 1
    double start_factor = 0.04;  // at peak_at x over_epochs, then one to final_factor,
    double peak_at = 0.3;        // where it stays
    double final_factor = 0.0;
};

enum class MonitorMode { min, max };

// A figure of the epochs that training watches: one of loss, accuracy, val_loss, val_accuracy,
// val_top_5_accuracy.
struct MonitorConfig {
    std::string metric;
    MonitorMode mode = MonitorMode::min;  // the reader resolves Keras' "auto"
    double min_delta = 0.0;               // an improvement is more than this
};

// The learning rate falls by `factor`, not below the minimum, once so many epochs in a row have not
// improved the monitored figure: Keras' ReduceLROnPlateau. Shape is 1.
struct PlateauSchedule {
    MonitorConfig monitor;
    double factor = 0.1;
    int patience = 10;
    int cooldown = 0;  // epochs after a fall that count for nothing
    double min_learning_rate = 0.0;
};

struct ScheduleConfig {
    std::variant<ConstantSchedule, StepSchedule, ExponentialSchedule, CosineSchedule,
                 PiecewiseSchedule, OneCycleSchedule, PlateauSchedule>
        shape;
    double warmup_epochs = 0.0;  // warmup = min(1, (step + 1) / (warmup_epochs x steps per epoch))
};

struct EarlyStoppingConfig {
    MonitorConfig monitor;
    int patience = 0;                   // epochs without improvement before training stops
    bool restore_best_weights = false;  // load the best epoch's weights at the end
};

struct CheckpointConfig {
    MonitorConfig monitor;
    bool restore_best_weights = false;  // load best.h5 back before the final test
};

// Factors of the samples' losses by their labels, in training.
struct EqualClasses {};
struct BalancedClasses {};  // samples / (classes x samples of the class), of the training samples
struct ClassWeights {
    std::vector<double> weights;  // [classes], at least 0, not all of them 0
};
using ClassWeightConfig = std::variant<EqualClasses, BalancedClasses, ClassWeights>;

struct TrainConfig {
    int batch_size = 32;  // global, over all ranks
    int epochs = 1;
    std::optional<std::int64_t> steps_per_epoch;  // fewer steps than the data has; unset: all
    bool shuffle = true;
    std::uint64_t seed = 1;
    double label_smoothing = 0.0;  // part of a label that all classes share; in [0, 1)
    ClassWeightConfig class_weights;
    OptimizerConfig optimizer;
    ScheduleConfig schedule;
    std::optional<EarlyStoppingConfig> early_stopping;
    std::optional<CheckpointConfig> checkpoint;  // when set, the best epoch's weights are kept
    double checkpoint_minutes = 10.0;            // a checkpoint within an epoch that takes longer
    std::filesystem::path initial_weights;       // read by the pipeline; empty: drawn
    bool record_steps = false;
};

enum class ExchangeKind { ordered, ring, mpi };

struct ParallelConfig {
    int shards = 8;
    ExchangeKind exchange = ExchangeKind::ordered;
    std::optional<int> ranks_per_run;  // unset: all
};

// One run, complete.
struct RunConfig {
    std::string name;
    std::vector<LayerConfig> layers;
    DataConfig data;
    TrainConfig train;
    ParallelConfig parallel;
};

}  // namespace lockstep::trainer
