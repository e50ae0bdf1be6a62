#include "pipeline/planning/effective_config.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "pipeline/experiment/augmentation_section.hpp"
#include "pipeline/layers/layer_settings_text.hpp"
#include "pipeline/settings/optimizer_settings.hpp"
#include "pipeline/settings/toml_tree.hpp"
#include "pipeline/settings/value_text.hpp"
#include "pipeline/settings/words.hpp"
#include "reports/figures/design.hpp"
#include "trainer/data/dataset_kind.hpp"
#include "trainer/determinism/digest.hpp"

namespace lockstep::pipeline {
namespace {

// Changes when the canonical text does, so that an old run id never means something else.
constexpr std::string_view kCanonicalHead = "lockstep-config 1\n";

// Lists the values of one run in a fixed order.
class Listing {
public:
    explicit Listing(const RunSpec& run) : run_(run) {}

    std::vector<EffectiveValue> list() {
        describe();
        data(run_.config.data);
        train(run_.config.train);
        parallel(run_.config.parallel);
        for (std::size_t i = 0; i < run_.config.layers.size(); ++i) {
            layer(run_.config.layers[i], fmt::format("layers.{}.", i));
        }
        return std::move(values_);
    }

private:
    // A value that shapes the results, and one that cannot.
    template <class Type>
    void add(const std::string& key, const Type& value) {
        note(key, value);
        values_.back().canonical = key + '=' + values_.back().value;
    }
    template <class Type>
    void note(const std::string& key, const Type& value) {
        const auto origin = run_.origins.find(key);
        values_.push_back(
            {key, text_of(value), origin == run_.origins.end() ? "default" : origin->second, {}});
    }

    void describe() {
        note("name", run_.config.name);
        if (!run_.title.empty()) note("title", run_.title);
        if (!run_.source.empty()) note("source", run_.source);
        for (const ExpectedFigure& figure : run_.expect) {
            std::vector<std::string> texts;
            for (const double value : figure.values) texts.push_back(text_of(value));
            const std::string joined = fmt::format("{}", fmt::join(texts, ", "));
            note("expect." + figure.name, std::string_view());
            values_.back().value = figure.by_epoch ? "[" + joined + "]" : joined;
        }
    }

    void data(const trainer::DataConfig& data) {
        add("data.dataset", data.dataset);
        const trainer::DatasetKind& kind = trainer::dataset_kind(data.dataset);
        for (const trainer::DatasetSetting& setting : kind.settings) {
            const std::string key = "data." + std::string(setting.key);
            std::visit([&](const auto& value) { add(key, value); },
                       trainer::setting_value(data, setting));
        }
        if (kind.has_files) note("data.path", data.path);
        add("data.classes", run_.class_names);
        add("data.scale", word_of(data.scale));
        validation(data.validation);
        if (data.test_views != trainer::TestViews::image)
            add("data.test_views", word_of(data.test_views));
        if (data.augmentation.empty()) return;
        note("data.augmentation", std::string_view());
        values_.back().value = augmentation_text(data.augmentation);
        values_.back().canonical = "data.augmentation=" + values_.back().value;
    }

    void validation(const trainer::ValidationConfig& validation) {
        std::string text = "\"none\"";
        if (std::holds_alternative<trainer::TestSetValidation>(validation)) text = "\"test\"";
        if (const auto* first = std::get_if<trainer::FirstValidation>(&validation)) {
            text = fmt::format("{{ first = {} }}", first->count);
        }
        if (const auto* part = std::get_if<trainer::FractionValidation>(&validation)) {
            text = fmt::format("{{ fraction = {} }}", text_of(part->fraction));
        }
        note("data.validation", std::string_view());
        values_.back().value = text;
        values_.back().canonical = "data.validation=" + text;
    }

    void train(const trainer::TrainConfig& train) {
        add("train.batch_size", train.batch_size);
        add("train.epochs", train.epochs);
        if (train.steps_per_epoch) {
            add("train.steps_per_epoch", *train.steps_per_epoch);
        } else {
            add("train.steps_per_epoch", std::string_view("all"));
        }
        add("train.shuffle", train.shuffle);
        add("train.seed", train.seed);
        if (train.label_smoothing > 0.0) add("train.label_smoothing", train.label_smoothing);
        class_weights(train.class_weights);
        optimizer(train.optimizer);
        schedule(train.schedule);
        early_stopping(train.early_stopping);
        checkpoint(train.checkpoint, train.checkpoint_minutes);
        if (!train.initial_weights.empty()) {
            note("train.initial_weights", train.initial_weights);
            values_.back().canonical =
                "train.initial_weights_sha256=" + run_.initial_weights_sha256;
        }
        note("train.record_steps", train.record_steps);
    }

    // Those that are not 1; nothing where all classes count the same.
    void class_weights(const trainer::ClassWeightConfig& config) {
        const std::string key = "train.class_weights";
        if (std::holds_alternative<trainer::BalancedClasses>(config))
            return add(key, std::string_view("balanced"));
        const auto* given = std::get_if<trainer::ClassWeights>(&config);
        if (given == nullptr) return;
        std::string text;
        for (std::size_t label = 0; label < given->weights.size(); ++label) {
            if (given->weights[label] == 1.0) continue;
            text +=
                fmt::format("{}{} = {}", text.empty() ? "" : ", ",
                            toml_string(run_.class_names[label]), text_of(given->weights[label]));
        }
        note(key, std::string_view());
        values_.back().value = fmt::format("{{ {} }}", text);
        values_.back().canonical = key + '=' + values_.back().value;
    }

    void optimizer(const trainer::OptimizerConfig& optimizer) {
        const std::string prefix = "train.optimizer.";
        add(prefix + "name", optimizer_word(optimizer));
        add(prefix + "learning_rate", optimizer.learning_rate);
        std::visit([&](const auto& rule) { rule_of(rule, optimizer, prefix); }, optimizer.rule);
        for (const trainer::TensorFactor& one : optimizer.learning_rate_factors)
            add(prefix + "learning_rate_factors." + one.tensor, one.factor);
        if (optimizer.global_clipnorm) add(prefix + "global_clipnorm", *optimizer.global_clipnorm);
        average(optimizer.average, prefix);
        if (optimizer.gradient_accumulation_steps > 1)
            add(prefix + "gradient_accumulation_steps", optimizer.gradient_accumulation_steps);
    }

    // Muon's decay too where that is none: by default it is not.
    template <class Rule>
    void rule_of(const Rule& rule, const trainer::OptimizerConfig& optimizer,
                 const std::string& prefix) {
        for_each_setting(rule, [&](const auto& setting) {
            if (setting.key == "adam_weight_decay")
                add(prefix + "weight_decay", optimizer.weight_decay);
            add_setting(prefix + std::string(setting.key), rule.*setting.member);
        });
        if constexpr (std::is_same_v<Rule, trainer::MuonConfig>)
            excluded_from_decay(optimizer, prefix);
        else
            weight_decay(optimizer, prefix);
    }
    template <class Type>
    void add_setting(const std::string& key, const Type& value) {
        add(key, value);
    }
    void add_setting(const std::string& key, const std::optional<double>& value) {
        if (value) return add(key, *value);
        add(key, std::string_view("none"));
    }
    void add_setting(const std::string& key, const std::vector<std::string>& list) {
        if (!list.empty()) add(key, list);
    }

    void average(const trainer::AverageConfig& average, const std::string& prefix) {
        if (const auto* ema = std::get_if<trainer::EmaConfig>(&average)) {
            add(prefix + "use_ema", true);
            add(prefix + "ema_momentum", ema->momentum);
            if (ema->overwrite_frequency)
                add(prefix + "ema_overwrite_frequency", *ema->overwrite_frequency);
        }
        if (const auto* lookahead = std::get_if<trainer::LookaheadConfig>(&average)) {
            add(prefix + "lookahead.sync_period", lookahead->sync_period);
            add(prefix + "lookahead.slow_step_size", lookahead->slow_step_size);
            if (lookahead->power != 0.0) {
                add(prefix + "lookahead.power", lookahead->power);
                add(prefix + "lookahead.over_epochs", lookahead->over_epochs);
            }
            if (lookahead->moving_statistics) add(prefix + "lookahead.moving_statistics", true);
        }
    }

    // Nothing where nothing decays: such a run has the id that it always had.
    void weight_decay(const trainer::OptimizerConfig& optimizer, const std::string& prefix) {
        if (optimizer.weight_decay == 0.0) return;
        add(prefix + "weight_decay", optimizer.weight_decay);
        excluded_from_decay(optimizer, prefix);
    }
    void excluded_from_decay(const trainer::OptimizerConfig& optimizer, const std::string& prefix) {
        const auto& excluded = optimizer.exclude_from_weight_decay;
        if (!excluded.empty()) add(prefix + "exclude_from_weight_decay", excluded);
    }

    void schedule(const trainer::ScheduleConfig& schedule) {
        const std::string prefix = "train.schedule.";
        add(prefix + "name", schedule_word(schedule));
        const auto shape = [&](const auto& kind) {
            if constexpr (requires { kind.every_epochs; }) {
                add(prefix + "every_epochs", kind.every_epochs);
                add(prefix + "factor", kind.factor);
            }
            if constexpr (requires { kind.over_epochs; }) {
                add(prefix + "over_epochs", kind.over_epochs);
                add(prefix + "final_factor", kind.final_factor);
            }
            if constexpr (requires { kind.peak_at; }) {
                add(prefix + "start_factor", kind.start_factor);
                add(prefix + "peak_at", kind.peak_at);
            }
            if constexpr (requires { kind.factors; }) {
                add(prefix + "epochs", kind.epochs);
                add(prefix + "factors", kind.factors);
            }
        };
        std::visit(shape, schedule.shape);
        if (const auto* plateau = std::get_if<trainer::PlateauSchedule>(&schedule.shape)) {
            monitor(prefix, plateau->monitor);
            add(prefix + "min_delta", plateau->monitor.min_delta);
            add(prefix + "factor", plateau->factor);
            add(prefix + "patience", plateau->patience);
            add(prefix + "cooldown", plateau->cooldown);
            add(prefix + "min_learning_rate", plateau->min_learning_rate);
        }
        add(prefix + "warmup_epochs", schedule.warmup_epochs);
    }

    void monitor(const std::string& prefix, const trainer::MonitorConfig& monitor) {
        add(prefix + "monitor", monitor.metric);
        add(prefix + "mode", word_of(monitor.mode));
    }

    void early_stopping(const std::optional<trainer::EarlyStoppingConfig>& config) {
        if (!config) return add("train.early_stopping", std::string_view("none"));
        const std::string prefix = "train.early_stopping.";
        monitor(prefix, config->monitor);
        add(prefix + "patience", config->patience);
        add(prefix + "min_delta", config->monitor.min_delta);
        add(prefix + "restore_best_weights", config->restore_best_weights);
    }

    void checkpoint(const std::optional<trainer::CheckpointConfig>& config, double minutes) {
        constexpr std::string_view kNone = "none";
        const bool is_default = minutes == trainer::TrainConfig{}.checkpoint_minutes;
        if (!config && is_default) return add("checkpoint", kNone);
        if (config) {
            monitor("checkpoint.", config->monitor);
            add("checkpoint.restore_best_weights", config->restore_best_weights);
        } else {
            note("checkpoint.monitor", kNone);
            values_.back().canonical = "checkpoint=" + values_.back().value;
        }
        if (!is_default) note("checkpoint.every_minutes", minutes);
    }

    void parallel(const trainer::ParallelConfig& parallel) {
        add("parallel.shards", parallel.shards);
        add("parallel.exchange", word_of(parallel.exchange));
        if (parallel.ranks_per_run) {
            note("parallel.ranks_per_run", *parallel.ranks_per_run);
        } else {
            note("parallel.ranks_per_run", std::string_view("all"));
        }
    }

    void layer(const trainer::LayerConfig& layer, const std::string& prefix) {
        add(prefix + "type", type_of(layer.kind).word);
        add(prefix + "name", layer.name);
        inputs(layer, prefix);
        for (const KeyText& setting : settings_of(layer.kind))
            add_text(prefix + std::string(setting.key), setting.text);
        if (!layer.trainable) add(prefix + "trainable", false);
        if (layer.learning_rate_factor != 1.0)
            add(prefix + "learning_rate_factor", layer.learning_rate_factor);
        for (const trainer::TrainableEpochs& some : layer.trainable_epochs)
            add(prefix + "trainable_epochs." + some.tensor, some.epochs);
    }
    void add_text(const std::string& key, const std::string& text) {
        note(key, std::string_view());
        values_.back().value = text;
        values_.back().canonical = key + '=' + text;
    }

    // None where it is the layer in front: a chain has the id that it always had.
    void inputs(const trainer::LayerConfig& layer, const std::string& prefix) {
        if (layer.sources.empty()) return;
        std::vector<std::string> names;
        for (const trainer::ValueNumber source : layer.sources)
            names.push_back(source == 0 ? std::string(kNetworkInput)
                                        : run_.config.layers[source - 1].name);
        add(prefix + "inputs", names);
    }

    const RunSpec& run_;
    std::vector<EffectiveValue> values_;
};

}  // namespace

EffectiveConfig effective_config(const RunSpec& run) {
    EffectiveConfig config{Listing(run).list(), {}};
    std::string canonical(kCanonicalHead);
    for (const EffectiveValue& value : config.values) {
        if (!value.canonical.empty()) canonical += value.canonical + '\n';
    }
    config.digest = trainer::sha256_hex(canonical);
    return config;
}

std::string effective_toml(const EffectiveConfig& config, const std::string& experiment_name) {
    std::string text = fmt::format(
        "# Every value of this run and its origin; config digest {}\n"
        "schema = 1\n\n[experiment]\nname = {}\n\n[[run]]\n",
        config.digest, toml_string(experiment_name));
    std::string open_layer;
    for (const EffectiveValue& value : config.values) {
        std::string key = value.key;
        if (key.starts_with("layers.")) {  // layers.3.units -> units, below a header of its own
            const std::size_t dot = key.find('.', std::string_view("layers.").size());
            if (key.substr(0, dot) != open_layer) text += "\n[[run.layers]]\n";
            open_layer = key.substr(0, dot);
            key = key.substr(dot + 1);
        }
        text += fmt::format("{} = {}  # {}\n", key, value.value, value.origin);
    }
    return text;
}

std::string design_digest(const EffectiveConfig& config) {
    std::string lines;
    for (const EffectiveValue& value : config.values) {
        if (value.key == "train.seed" || value.canonical.empty()) continue;
        lines += value.canonical + '\n';
    }
    return reports::settings_digest(lines);
}

std::string run_id(const RunSpec& run, const EffectiveConfig& config) {
    return run.config.name + '-' + config.digest.substr(0, 8);
}

std::string expected_json(const std::vector<ExpectedFigure>& figures) {
    if (figures.empty()) return {};
    const auto number = [](double value) -> nlohmann::ordered_json {
        const bool is_whole = std::abs(value) < 1e15 && value == std::trunc(value);
        if (is_whole) return static_cast<std::int64_t>(value);
        return value;
    };
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const ExpectedFigure& figure : figures) {
        if (figure.by_epoch) {
            json[figure.name] = nlohmann::ordered_json::array();
            for (const double value : figure.values) json[figure.name].push_back(number(value));
        } else {
            json[figure.name] = number(figure.values.front());
        }
    }
    return json.dump();
}

}  // namespace lockstep::pipeline
