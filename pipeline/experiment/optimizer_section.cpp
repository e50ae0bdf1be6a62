// [train] optimizer (train_tables.hpp).

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/experiment/train_tables.hpp"
#include "pipeline/settings/optimizer_names.hpp"
#include "pipeline/settings/optimizer_settings.hpp"

namespace lockstep::pipeline {
namespace {

constexpr RealRange kLearningRates{0.0, 100.0, false, true};
constexpr RealRange kNorms{0.0, 1e6, false, true};
constexpr RealRange kMomenta{0.0, 1.0};  // of averages, as Keras has them
constexpr RealRange kStepSizes{0.0, 1.0, false, true};
constexpr RealRange kPowers{0.0, 100.0};
constexpr RealRange kEpochSpans{0.0, 1e10, false};
constexpr WholeRange kSyncPeriods{1, 1'000'000};
constexpr WholeRange kAccumulations{1, 1'000'000};

constexpr NamedTableKind kOptimizer{"optimizer", kOptimizers, kAdam,
                                    "\"adam\" or { name = \"adam\", learning_rate = 0.001 }"};
constexpr double kDecayOfAdamW = 0.004;  // Keras', and Muon's
constexpr std::array<std::string_view, 6> kTensors{
    "kernel", "bias", "gamma", "beta", "depthwise_kernel", "pointwise_kernel"};

// Whether it says so: what has no such value is none, too.
bool is_none(TableReader& reader, std::string_view key) {
    const Value* value = reader.find(key);
    const auto* word = value ? value->as<std::string>() : nullptr;
    return word && *word == "none";
}

// What Keras looks for in a variable's path as a regular expression: without signs that mean
// something there it is the same.
bool is_part_of_path(const std::string& text) {
    const auto is_sign = [](char letter) {
        return letter == '_' || letter == '-' || letter == '/';
    };
    return !text.empty() && std::ranges::all_of(text, [&](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) != 0 || is_sign(letter);
    });
}

std::vector<std::string> read_parts_of_paths(TableReader& reader, std::string_view key) {
    std::vector<std::string> parts;
    const Value* value = reader.find(key);
    if (value == nullptr || value->as<Unusable>() != nullptr) return parts;
    const auto* list = value->as<Array>();
    const std::span<const Value> values =
        list != nullptr ? std::span(list->begin(), list->end()) : std::span(value, 1);
    for (const Value& element : values) {
        const auto* text = element.as<std::string>();
        if (text != nullptr && is_part_of_path(*text))
            parts.push_back(*text);
        else
            reader.must_be(key, element,
                           "parts of names of layers, of letters, digits, '_', '-' and '/'");
    }
    return parts;
}

// As the file has them; what it has not stays.
class SettingReader {
public:
    explicit SettingReader(TableReader& reader) : reader_(reader) {}

    void read(std::string_view key, RealRange range, double& number) {
        number = reader_.real(key, range).value_or(number);
    }
    void read(std::string_view key, RealRange, bool& truth) {
        truth = reader_.truth(key).value_or(truth);
    }
    void read(std::string_view key, RealRange range, int& count) {
        const auto limit = [](double value) { return static_cast<int>(value); };
        count = reader_.count(key, limit(range.low), limit(range.high)).value_or(count);
    }
    void read(std::string_view key, RealRange range, std::optional<double>& number) {
        if (is_none(reader_, key))
            number.reset();
        else if (const auto read = reader_.real(key, range))
            number = read;
    }
    void read(std::string_view key, RealRange, std::vector<std::string>& parts) {
        parts = read_parts_of_paths(reader_, key);
    }

private:
    TableReader& reader_;
};

template <class Rule>
void read_rule(TableReader& reader, trainer::OptimizerConfig& optimizer) {
    Rule rule;
    for_each_setting(rule, [&](const auto& setting) {
        SettingReader(reader).read(setting.key, setting.range, rule.*setting.member);
    });
    optimizer.rule = rule;
}

void read_rule(KeyGroup keys, TableReader& reader, trainer::OptimizerConfig& optimizer) {
    if (keys == KeyGroup::optimizer_sgd) read_rule<trainer::SgdConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_adam) read_rule<trainer::AdamConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_rmsprop) read_rule<trainer::RmspropConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_lion) read_rule<trainer::LionConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_adagrad) read_rule<trainer::AdagradConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_nadam) read_rule<trainer::NadamConfig>(reader, optimizer);
    if (keys == KeyGroup::optimizer_muon) read_rule<trainer::MuonConfig>(reader, optimizer);
}

// In the order of kTensors, whatever the file's.
std::vector<std::string> read_excluded(TableReader& reader) {
    std::vector<std::string> excluded;
    const std::vector<std::size_t> chosen =
        reader.choices_of("exclude_from_weight_decay", kTensors);
    for (std::size_t i = 0; i < kTensors.size(); ++i)
        if (std::ranges::find(chosen, i) != chosen.end()) excluded.emplace_back(kTensors[i]);
    return excluded;
}

// Those that are not 1, in the order of their keys, whatever the file's.
std::vector<trainer::TensorFactor> read_factors(TableReader& reader) {
    std::vector<trainer::TensorFactor> factors;
    const Value* value = reader.find("learning_rate_factors");
    const Table* table = value ? value->as<Table>() : nullptr;
    if (value && !table) reader.must_be("learning_rate_factors", *value, "a table");
    if (!table) return factors;
    TableReader tensors(*table, reader.key_prefix() + "learning_rate_factors.",
                        KeyGroup::learning_rate_factors, reader.context());
    for (const std::string_view tensor : keys_of(KeyGroup::learning_rate_factors).keys) {
        const double factor = tensors.real(tensor, kRateFactors).value_or(1.0);
        if (factor != 1.0) factors.push_back({std::string(tensor), factor});
    }
    return factors;
}

std::optional<double> read_clipnorm(TableReader& reader) {
    if (is_none(reader, "global_clipnorm")) return std::nullopt;
    return reader.real("global_clipnorm", kNorms);
}

// As in Keras, momentum and frequency may stand where use_ema is false, and say nothing then.
std::optional<trainer::EmaConfig> read_ema(TableReader& reader) {
    trainer::EmaConfig ema;
    const bool is_used = reader.truth("use_ema").value_or(false);
    ema.momentum = reader.real("ema_momentum", kMomenta).value_or(ema.momentum);
    if (!is_none(reader, "ema_overwrite_frequency"))
        ema.overwrite_frequency = reader.whole("ema_overwrite_frequency", {1, kMostCount});
    return is_used ? std::optional(ema) : std::nullopt;
}

std::optional<trainer::LookaheadConfig> read_lookahead(TableReader& reader, int epochs) {
    const Value* value = reader.find("lookahead");
    if (value == nullptr || is_none(reader, "lookahead")) return std::nullopt;
    const Table* table = value->as<Table>();
    if (table == nullptr) {
        reader.must_be("lookahead", *value, "a table or \"none\"");
        return std::nullopt;
    }
    TableReader keys(*table, reader.key_prefix() + "lookahead.", KeyGroup::lookahead,
                     reader.context());
    trainer::LookaheadConfig lookahead;
    lookahead.sync_period = keys.whole("sync_period", kSyncPeriods).value_or(lookahead.sync_period);
    lookahead.slow_step_size =
        keys.real("slow_step_size", kStepSizes).value_or(lookahead.slow_step_size);
    lookahead.power = keys.real("power", kPowers).value_or(lookahead.power);
    lookahead.over_epochs = keys.real("over_epochs", kEpochSpans).value_or(std::max(epochs, 1));
    lookahead.moving_statistics = keys.truth("moving_statistics").value_or(false);
    return lookahead;
}

trainer::AverageConfig read_average(TableReader& reader, int epochs) {
    const auto ema = read_ema(reader);
    const auto lookahead = read_lookahead(reader, epochs);
    if (ema && lookahead)
        reader.problem(*reader.find("lookahead"),
                       "lookahead and use_ema = true each say which weights are validated and "
                       "kept: leave one of them out");
    if (lookahead) return *lookahead;
    if (ema) return *ema;
    return {};
}

}  // namespace

trainer::OptimizerConfig read_optimizer(const Table& train, int epochs, ReadContext context) {
    trainer::OptimizerConfig optimizer;
    const auto [table, named] = read_named_table(train, kOptimizer, context);
    if (named == nullptr) return optimizer;
    TableReader reader(table, "train.optimizer.", named->keys, context);
    const double default_rate = named->name == "sgd" ? 0.01 : 0.001;  // Keras'
    optimizer.learning_rate = reader.real("learning_rate", kLearningRates).value_or(default_rate);
    read_rule(named->keys, reader, optimizer);
    const bool decays = named->name == kAdamW || named->name == kMuon;  // by default
    optimizer.weight_decay =
        reader.real("weight_decay", kDecays).value_or(decays ? kDecayOfAdamW : 0.0);
    optimizer.exclude_from_weight_decay = read_excluded(reader);
    optimizer.learning_rate_factors = read_factors(reader);
    optimizer.global_clipnorm = read_clipnorm(reader);
    optimizer.average = read_average(reader, epochs);
    optimizer.gradient_accumulation_steps =
        reader.whole("gradient_accumulation_steps", kAccumulations)
            .value_or(optimizer.gradient_accumulation_steps);
    return optimizer;
}

}  // namespace lockstep::pipeline
