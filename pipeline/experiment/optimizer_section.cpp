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

namespace lockstep::pipeline {
namespace {

constexpr RealRange kLearningRates{0.0, 100.0, false, true};
constexpr RealRange kFractions{0.0, 1.0, true, false};     // momentum, beta, rho
constexpr RealRange kBetasOfLion{0.0, 1.0, false, false};  // with 0 its momentum were idle
constexpr RealRange kAccumulators{0.0, 1e6};
constexpr RealRange kEpsilons{0.0, 1.0, false, true};
constexpr RealRange kDecays{0.0, 100.0};
constexpr RealRange kNorms{0.0, 1e6, false, true};
constexpr RealRange kMomenta{0.0, 1.0};  // of averages, as Keras has them
constexpr RealRange kStepSizes{0.0, 1.0, false, true};
constexpr RealRange kPowers{0.0, 100.0};
constexpr RealRange kEpochSpans{0.0, 1e10, false};
constexpr RealRange kCoefficients{-100.0, 100.0};
constexpr RealRange kRates{0.0, 1000.0, false, true};
constexpr WholeRange kSyncPeriods{1, 1'000'000};
constexpr WholeRange kAccumulations{1, 1'000'000};

constexpr NamedTableKind kOptimizer{"optimizer", kOptimizers, kAdam,
                                    "\"adam\" or { name = \"adam\", learning_rate = 0.001 }"};
constexpr double kDecayOfAdamW = 0.004;  // Keras', and Muon's
constexpr int kMostSteps = 100;          // of Newton and Schulz
constexpr std::array<std::string_view, 6> kTensors{
    "kernel", "bias", "gamma", "beta", "depthwise_kernel", "pointwise_kernel"};

// Whether it says so: what has no such value is none, too.
bool is_none(TableReader& reader, std::string_view key) {
    const Value* value = reader.find(key);
    const auto* word = value ? value->as<std::string>() : nullptr;
    return word && *word == "none";
}

trainer::SgdConfig read_sgd(TableReader& reader) {
    trainer::SgdConfig sgd;
    sgd.momentum = reader.real("momentum", kFractions).value_or(sgd.momentum);
    sgd.nesterov = reader.truth("nesterov").value_or(sgd.nesterov);
    return sgd;
}

// Of Adam and Nadam.
template <class Adam>
Adam read_adam(TableReader& reader) {
    Adam adam;
    adam.beta_1 = reader.real("beta_1", kFractions).value_or(adam.beta_1);
    adam.beta_2 = reader.real("beta_2", kFractions).value_or(adam.beta_2);
    adam.epsilon = reader.real("epsilon", kEpsilons).value_or(adam.epsilon);
    return adam;
}

trainer::RmspropConfig read_rmsprop(TableReader& reader) {
    trainer::RmspropConfig rmsprop;
    rmsprop.rho = reader.real("rho", kFractions).value_or(rmsprop.rho);
    rmsprop.momentum = reader.real("momentum", kFractions).value_or(rmsprop.momentum);
    rmsprop.epsilon = reader.real("epsilon", kEpsilons).value_or(rmsprop.epsilon);
    return rmsprop;
}

trainer::LionConfig read_lion(TableReader& reader) {
    trainer::LionConfig lion;
    lion.beta_1 = reader.real("beta_1", kBetasOfLion).value_or(lion.beta_1);
    lion.beta_2 = reader.real("beta_2", kFractions).value_or(lion.beta_2);
    return lion;
}

trainer::AdagradConfig read_adagrad(TableReader& reader) {
    trainer::AdagradConfig adagrad;
    adagrad.initial_accumulator_value = reader.real("initial_accumulator_value", kAccumulators)
                                            .value_or(adagrad.initial_accumulator_value);
    adagrad.epsilon = reader.real("epsilon", kEpsilons).value_or(adagrad.epsilon);
    return adagrad;
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

std::vector<std::string> read_excluded_layers(TableReader& reader) {
    constexpr std::string_view kKey = "exclude_layers";
    std::vector<std::string> parts;
    const Value* value = reader.find(kKey);
    if (value == nullptr || value->as<Unusable>() != nullptr) return parts;
    const auto* list = value->as<Array>();
    const std::span<const Value> values =
        list != nullptr ? std::span(list->begin(), list->end()) : std::span(value, 1);
    for (const Value& element : values) {
        const auto* text = element.as<std::string>();
        if (text != nullptr && is_part_of_path(*text))
            parts.push_back(*text);
        else
            reader.must_be(kKey, element,
                           "parts of names of layers, of letters, digits, '_', '-' and '/'");
    }
    return parts;
}

trainer::MuonConfig read_muon(TableReader& reader) {
    trainer::MuonConfig muon;
    const auto read = [&](std::string_view key, RealRange range, double& number) {
        number = reader.real(key, range).value_or(number);
    };
    read("adam_beta_1", kFractions, muon.adam_beta_1);
    read("adam_beta_2", kFractions, muon.adam_beta_2);
    read("epsilon", kEpsilons, muon.epsilon);
    read("adam_weight_decay", kDecays, muon.adam_weight_decay);
    read("adam_lr_ratio", kRates, muon.adam_lr_ratio);
    read("momentum", kFractions, muon.momentum);
    read("muon_a", kCoefficients, muon.muon_a);
    read("muon_b", kCoefficients, muon.muon_b);
    read("muon_c", kCoefficients, muon.muon_c);
    muon.nesterov = reader.truth("nesterov").value_or(muon.nesterov);
    muon.ns_steps = reader.count("ns_steps", 0, kMostSteps).value_or(muon.ns_steps);
    if (is_none(reader, "rms_rate"))
        muon.rms_rate.reset();
    else
        read("rms_rate", kRates, *muon.rms_rate);
    muon.exclude_layers = read_excluded_layers(reader);
    muon.exclude_convolutions =
        reader.truth("exclude_convolutions").value_or(muon.exclude_convolutions);
    return muon;
}

void read_rule(KeyGroup keys, TableReader& reader, trainer::OptimizerConfig& optimizer) {
    if (keys == KeyGroup::optimizer_sgd) optimizer.rule = read_sgd(reader);
    if (keys == KeyGroup::optimizer_adam) optimizer.rule = read_adam<trainer::AdamConfig>(reader);
    if (keys == KeyGroup::optimizer_rmsprop) optimizer.rule = read_rmsprop(reader);
    if (keys == KeyGroup::optimizer_lion) optimizer.rule = read_lion(reader);
    if (keys == KeyGroup::optimizer_adagrad) optimizer.rule = read_adagrad(reader);
    if (keys == KeyGroup::optimizer_nadam) optimizer.rule = read_adam<trainer::NadamConfig>(reader);
    if (keys == KeyGroup::optimizer_muon) optimizer.rule = read_muon(reader);
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
