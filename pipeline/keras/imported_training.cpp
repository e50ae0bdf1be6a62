#include "pipeline/keras/imported_training.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/keras/keras_words.hpp"
#include "pipeline/settings/optimizer_names.hpp"
#include "pipeline/settings/value_text.hpp"
#include "storage/weights/keras_names.hpp"
#include "storage/weights/shallow_json.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::ranges::find(words, word) != words.end();
}

// As Keras tests its settings: clipnorm = 0 clips nothing.
bool says_nothing(const Json& value) {
    return value.is_null() || value == false || value == 0 ||
           (value.is_structured() && value.empty());
}

// A class by its name alone, or with its settings.
struct KerasObject {
    std::string class_name;
    Json config = Json::object();
};
std::optional<KerasObject> object_of(const Json& json) {
    if (json.is_string()) return KerasObject{json.get<std::string>()};
    if (!json.is_object() || !json.contains("class_name")) return std::nullopt;
    const Json& name = json.at("class_name");
    const Json config = json.value("config", Json::object());
    if (!name.is_string() || !config.is_object()) return std::nullopt;
    return KerasObject{name.get<std::string>(), config};
}

// "Custom>Adam" -> "adam".
std::string optimizer_name(const std::string& class_name) {
    const std::string word = storage::snake_case(class_name.substr(class_name.find('>') + 1));
    return word == "rm_sprop" ? "rmsprop" : word == "adam_w" ? std::string(kAdamW) : word;
}

class OptimizerReader {
public:
    OptimizerReader(const KerasObject& optimizer, ImportedTraining& training)
        : class_name_(optimizer.class_name),
          name_(optimizer_name(optimizer.class_name)),
          config_(optimizer.config),
          training_(training) {}

    void read() {
        const auto known =
            std::ranges::find(kOptimizers, std::string_view(name_), &NamedKeys::name);
        if (known == kOptimizers.end())
            return training_.left_out.push_back(
                fmt::format("optimizer = {}", text_in_message(class_name_)));
        settings_.push_back(fmt::format("name = {}", text_of(name_)));
        for (const std::string_view key : keys_of(known->keys).keys) add(key);
        for (const auto& [key, value] : config_.items())
            if (!seen_.contains(key) && !is_without_meaning(key, value)) leave_out(key, value);
        training_.lines.push_back(fmt::format("optimizer = {{ {} }}", fmt::join(settings_, ", ")));
    }

private:
    void add(std::string_view key) {
        const std::string name = name_in_config(key);
        const auto found = config_.find(name);
        seen_.insert(name);
        if (key == "name" || found == config_.end()) return;
        if (found->is_null()) return add_none(key);
        const bool is_of_average = key == "use_ema" || key.starts_with("ema_");
        if (is_of_average && config_.value("use_ema", Json()) != true) return;
        if (found->is_boolean())
            settings_.push_back(fmt::format("{} = {}", key, found->get<bool>()));
        else if (is_taken(key, *found))
            settings_.push_back(fmt::format("{} = {}", key, number_text(*found)));
        else if (key == "exclude_layers" && is_list_of_texts(*found))
            settings_.push_back(
                fmt::format("{} = {}", key, text_of(found->get<std::vector<std::string>>())));
        else if (key != "global_clipnorm" || !says_nothing(*found))
            leave_out(name, *found);
    }

    // What Keras takes for none, where our default is something.
    void add_none(std::string_view key) {
        if (name_ != kMuon) return;
        if (key == "rms_rate") settings_.emplace_back("rms_rate = \"none\"");
        if (key.ends_with("weight_decay")) settings_.push_back(fmt::format("{} = 0", key));
    }

    static bool is_list_of_texts(const Json& value) {
        return value.is_array() &&
               std::ranges::all_of(value, [](const Json& each) { return each.is_string(); });
    }

    // Keras before 2.3 called it lr.
    std::string name_in_config(std::string_view key) const {
        return key == "learning_rate" && !config_.contains(key) ? "lr" : std::string(key);
    }

    // Numbers, and 0 where experiment files take it.
    bool is_taken(std::string_view key, const Json& value) const {
        constexpr std::array<std::string_view, 5> kAboveZero{
            "learning_rate", "epsilon", "global_clipnorm", "gradient_accumulation_steps",
            "ema_overwrite_frequency"};
        if (!value.is_number() || !std::isfinite(value.get<float>())) return false;
        const bool is_above_zero =
            is_one_of(key, kAboveZero) || (name_ == "lion" && key == "beta_1");
        return !is_above_zero || value.get<double>() != 0.0;
    }

    // Keras keeps float32 as it is: 0.001 is 0.0010000000474974513 there.
    static std::string number_text(const Json& value) {
        return value.is_number_integer() ? value.dump() : fmt::format("{}", value.get<float>());
    }

    bool is_without_meaning(std::string_view key, const Json& value) const {
        // Images have no embeddings.
        constexpr std::array<std::string_view, 5> kOfNoInterest{
            "name", "is_legacy_optimizer", "jit_compile", "lr", "exclude_embeddings"};
        // How Keras 2 wrote the schedule of momenta that every Nadam has.
        const bool is_schedule_of_nadam =
            name_ == "nadam" && (key == "decay" || key == "schedule_decay") && value == 0.004;
        return says_nothing(value) || is_one_of(key, kOfNoInterest) || is_schedule_of_nadam;
    }

    void leave_out(std::string_view key, const Json& value) {
        training_.left_out.push_back(
            fmt::format("optimizer {}: {} = {}", class_name_, key, text_in_message(value)));
    }

    std::string class_name_;
    std::string name_;
    const Json& config_;
    ImportedTraining& training_;
    std::vector<std::string> settings_;
    std::set<std::string, std::less<>> seen_;
};

class LossReader {
public:
    LossReader(const KerasObject& loss, bool ends_in_softmax, ImportedTraining& training)
        : loss_(loss), ends_in_softmax_(ends_in_softmax), training_(training) {}

    void read() {
        for (const auto& [key, value] : loss_.config.items()) setting(key, value);
        // A loss that takes logits for probabilities, or the other way, is another one.
        const Json from_logits = loss_.config.value("from_logits", Json(false));
        if (from_logits != !ends_in_softmax_) leave_out("from_logits", from_logits);
    }

private:
    void setting(const std::string& key, const Json& value) {
        constexpr std::array<std::string_view, 6> kOfNoInterest{"name",  "fn",   "module",
                                                                "dtype", "axis", "from_logits"};
        constexpr std::array<std::string_view, 4> kMeans{"sum_over_batch_size", "auto", "mean",
                                                         "mean_with_sample_weight"};
        if (says_nothing(value) || (is_one_of(key, kOfNoInterest) && !is_other_axis(key, value)))
            return;
        const bool is_mean = key == "reduction" && value.is_string() &&
                             is_one_of(value.get_ref<const std::string&>(), kMeans);
        if (is_mean) return;
        const bool is_smoothing = key == "label_smoothing" && value.is_number() &&
                                  value.get<double>() > 0.0 && value.get<double>() < 1.0;
        if (is_smoothing)
            training_.lines.push_back(fmt::format("label_smoothing = {}", value.get<double>()));
        else
            leave_out(key, value);
    }
    static bool is_other_axis(std::string_view key, const Json& value) {
        return key == "axis" && value != -1 && value != 1;
    }

    void leave_out(std::string_view key, const Json& value) {
        training_.left_out.push_back(
            fmt::format("loss {}: {} = {}", loss_.class_name, key, text_in_message(value)));
    }

    const KerasObject& loss_;
    bool ends_in_softmax_;
    ImportedTraining& training_;
};

void read_loss(const Json& json, bool ends_in_softmax, ImportedTraining& training) {
    constexpr std::array<std::string_view, 2> kCrossentropies{"categorical_crossentropy",
                                                              "sparse_categorical_crossentropy"};
    if (json.is_null()) return;
    // Models of several outputs have a list; this one has one.
    const auto loss = object_of(json.is_array() && json.size() == 1 ? json.front() : json);
    if (loss && is_one_of(storage::snake_case(loss->class_name), kCrossentropies))
        return LossReader(*loss, ends_in_softmax, training).read();
    training.left_out.push_back(fmt::format("loss = {}", text_in_message(json)));
}

void read_optimizer(const Json& json, ImportedTraining& training) {
    if (json.is_null()) return;
    if (const auto optimizer = object_of(json)) return OptimizerReader(*optimizer, training).read();
    training.left_out.push_back(fmt::format("optimizer = {}", text_in_message(json)));
}

}  // namespace

ImportedTraining imported_training(const std::string& training_json, bool ends_in_softmax,
                                   const std::string& origin) {
    ImportedTraining training;
    if (training_json.empty()) return training;
    const Json json = storage::parse_shallow_json(training_json);
    if (json.is_null()) return training;  // it was not compiled
    if (!json.is_object())
        throw Failure(kExitBadData,
                      fmt::format("{}: its training settings are no JSON of Keras", origin));
    read_optimizer(json.value("optimizer", json.value("optimizer_config", Json())), training);
    read_loss(json.value("loss", Json()), ends_in_softmax, training);
    if (const Json weights = json.value("loss_weights", Json()); !says_nothing(weights))
        training.left_out.push_back(fmt::format("loss_weights = {}", text_in_message(weights)));
    return training;
}

}  // namespace lockstep::pipeline
