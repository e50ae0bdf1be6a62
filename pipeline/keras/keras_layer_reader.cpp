#include "pipeline/keras/keras_layer_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "pipeline/keras/keras_words.hpp"
#include "pipeline/layers/layer_types.hpp"
#include "storage/weights/keras_names.hpp"

namespace lockstep::pipeline {
namespace {

using Json = nlohmann::ordered_json;

// A list of one in Keras 2.
std::optional<int> number_of_axis(const Json& json) {
    const Json& axis = json.is_array() && json.size() == 1 ? json.front() : json;
    if (!axis.is_number_integer()) return std::nullopt;
    const auto number = axis.get<std::int64_t>();
    return number < -4 || number > 4 ? std::nullopt : std::optional(static_cast<int>(number));
}

// What a layer says beyond our keys, and what it has to say for us to know all of it. A value of
// null or false says that there is nothing.
bool is_without_meaning(std::string_view key, const Json& value, std::string_view class_name) {
    constexpr std::array<std::string_view, 14> kOfNoInterest{"name",
                                                             "trainable",
                                                             "dtype",
                                                             "batch_input_shape",
                                                             "batch_shape",
                                                             "seed",
                                                             "fused",
                                                             "autocast",
                                                             "renorm_momentum",
                                                             "moving_mean_initializer",
                                                             "ragged",
                                                             "sparse",
                                                             "module",
                                                             "moving_variance_initializer"};
    if (std::ranges::find(kOfNoInterest, key) != kOfNoInterest.end()) return true;
    if (value.is_null() || value == false) return true;
    if (key == "data_format") return value == "channels_last";
    if (key == "axis") return number_of_axis(value).has_value();  // keras_axis() tells which
    // Keras 2 gives these two the keys of a Conv2D, which they do not read.
    const bool is_depthwise = class_name == "DepthwiseConv2D" || class_name == "SeparableConv2D";
    if (is_depthwise && key == "groups") return value == 1;
    if (is_depthwise && key == "kernel_initializer") return true;
    return key == "implementation" || key == "shared_object_id";
}

class Reader final : public KeyVisitor {
public:
    Reader(const Json& config, std::vector<std::string>& problems)
        : config_(config), problems_(problems) {}

    void whole(LayerKey key, int& value, WholeRange range) override {
        const Json* json = find(key);
        if (!json) return;
        if (!json->is_number_integer() || json->get<std::int64_t>() < range.least ||
            json->get<std::int64_t>() > range.most)
            return refuse(key, *json);
        value = json->get<int>();
    }
    void real(LayerKey key, double& value, RealRange range) override {
        const Json* json = find(key);
        if (!json) return;
        if (!json->is_number() || !range.contains(json->get<double>())) return refuse(key, *json);
        value = json->get<double>();
    }
    void truth(LayerKey key, bool& value) override {
        const Json* json = find(key);
        if (!json) return;
        if (!json->is_boolean()) return refuse(key, *json);
        value = json->get<bool>();
    }
    void rate(LayerKey key, double& value) override { real(key, value, {0.0, 1.0, true, false}); }
    void pair(LayerKey key, std::array<int, 2>& value, WholeRange range) override {
        const Json* json = find(key);
        if (!json) return;
        const auto pair = pair_of(*json, range);
        if (!pair) return refuse(key, *json);
        value = *pair;
    }
    void pair_like(LayerKey key, std::array<int, 2>& value, const std::array<int, 2>& other,
                   WholeRange range) override {
        value = other;
        pair(key, value, range);
    }
    void borders(LayerKey key, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                 WholeRange range) override {
        const Json* json = find(key);
        if (!json) return;
        const bool is_list = json->is_array() && json->size() == 2;
        const auto rows = pair_of(is_list ? json->front() : *json, range);
        const auto columns = pair_of(is_list ? json->back() : *json, range);
        if (!rows || !columns) return refuse(key, *json);
        vertical = *rows;
        horizontal = *columns;
    }
    void initializer(LayerKey key, trainer::InitializerConfig& value) override {
        const Json* json = find(key);
        if (!json) return;
        const std::string name =
            json->is_string() ? json->get<std::string>() : json->value("class_name", "");
        const std::string word = storage::snake_case(name);
        const auto known = std::ranges::find(kInitializers, std::string_view(word),
                                             &Word<trainer::Initializer>::word);
        if (known == kInitializers.end() || !is_of_keras(known->value)) return refuse(key, *json);
        value = known->value;
        const Json arguments = json->is_object() ? json->value("config", Json::object()) : Json();
        visit_arguments(value, [&](std::string_view argument, double& number, RealRange range) {
            const auto found = arguments.find(std::string(argument));
            if (found == arguments.end() || found->is_null()) return;
            if (!found->is_number() || !range.contains(found->get<double>()))
                return refuse(key, *json);
            number = found->get<double>();
        });
    }
    // Of L2, or of L1L2 without an L1 part.
    void l2(LayerKey key, double& value) override {
        const Json* json = find(key);
        if (!json) return;
        const std::string name = json->is_object() ? json->value("class_name", "") : "";
        const Json config = json->is_object() ? json->value("config", Json::object()) : Json();
        const bool has_l1 = config.is_object() && config.value("l1", 0.0) != 0.0;
        if ((name != "L2" && name != "L1L2") || has_l1) return refuse(key, *json);
        value = config.value("l2", 0.0);
    }

    // What is left of the config, after all keys were visited.
    void refuse_others(std::string_view class_name) {
        for (const auto& [key, value] : config_.items())
            if (!seen_.contains(key) && !is_without_meaning(key, value, class_name))
                problems_.push_back(fmt::format("{} = {}", key, text_in_message(value)));
    }

private:
    void word(LayerKey key, std::size_t& index, std::span<const std::string_view> words) override {
        const Json* json = find(key);
        if (!json) return;
        if (!json->is_string()) return refuse(key, *json);
        const std::string keras_word = json->get<std::string>();
        const auto found = std::ranges::find(words, our_activation(keras_word));
        if (found == words.end()) return refuse(key, *json);
        index = static_cast<std::size_t>(found - words.begin());
    }

    static std::optional<std::array<int, 2>> pair_of(const Json& json, WholeRange range) {
        const auto number = [range](const Json& one) {
            return one.is_number_integer() && one.get<std::int64_t>() >= range.least &&
                   one.get<std::int64_t>() <= range.most;
        };
        if (number(json)) return std::array{json.get<int>(), json.get<int>()};
        if (!json.is_array() || json.size() != 2 || !number(json[0]) || !number(json[1]))
            return std::nullopt;
        return std::array{json[0].get<int>(), json[1].get<int>()};
    }

    const Json* find(LayerKey key) {
        const auto found = config_.find(std::string(key.name));
        if (found == config_.end()) {
            if (key.presence == Presence::required)
                problems_.push_back(fmt::format("{} is missing", key.name));
            return nullptr;
        }
        seen_.insert(std::string(key.name));
        return found->is_null() ? nullptr : &*found;
    }
    void refuse(LayerKey key, const Json& value) {
        problems_.push_back(fmt::format("{} = {}", key.name, text_in_message(value)));
    }

    const Json& config_;
    std::vector<std::string>& problems_;
    std::set<std::string, std::less<>> seen_;
};

// Keras' layers that are an activation and nothing else, with its only setting that we have.
std::optional<trainer::Activation> activation_of(std::string_view class_name, const Json& config,
                                                 std::vector<std::string>& problems) {
    using enum trainer::Activation;
    const auto number = [&config](const char* key, double otherwise) {
        const auto found = config.find(key);
        return found == config.end() || !found->is_number() ? otherwise : found->get<double>();
    };
    const auto expect = [&](const char* key, double value, double wanted) {
        if (value != wanted) problems.push_back(fmt::format("{} = {}, not {}", key, value, wanted));
    };
    if (class_name == "Softmax") {
        const auto axis = config.find("axis");
        if (axis != config.end() && !axis->is_null() && !number_of_axis(*axis))
            problems.push_back(fmt::format("axis = {}", text_in_message(*axis)));
        return softmax;
    }
    if (class_name == "ELU") {
        expect("alpha", number("alpha", 1.0), 1.0);
        return elu;
    }
    if (class_name == "LeakyReLU") {
        const double slope = number("negative_slope", number("alpha", 0.3));
        expect("negative_slope", static_cast<float>(slope), static_cast<float>(0.2));
        return leaky_relu;
    }
    if (class_name == "ReLU") {
        expect("negative_slope", number("negative_slope", 0.0), 0.0);
        expect("threshold", number("threshold", 0.0), 0.0);
        const auto most = config.find("max_value");
        if (most == config.end() || most->is_null()) return relu;
        expect("max_value", number("max_value", 6.0), 6.0);
        return relu6;
    }
    return std::nullopt;
}

}  // namespace

std::optional<LayerKind> read_keras_layer(std::string_view class_name, const Json& config,
                                          std::vector<std::string>& problems) {
    if (const auto activation = activation_of(class_name, config, problems))
        return trainer::ActivationConfig{*activation};
    const std::string word = storage::snake_case(class_name);
    const auto type = std::ranges::find(layer_types(), std::string_view(word), &LayerType::word);
    if (type == layer_types().end()) return std::nullopt;
    LayerKind kind = type->kind;
    Reader reader(config, problems);
    visit_keys(kind, reader);
    reader.refuse_others(class_name);
    return kind;
}

std::optional<int> keras_axis(const Json& config) {
    const auto axis = config.find("axis");
    return axis == config.end() ? std::nullopt : number_of_axis(*axis);
}

}  // namespace lockstep::pipeline
