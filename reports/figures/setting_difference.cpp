#include "reports/figures/setting_difference.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace lockstep::reports {
namespace {

using Values = std::vector<ConfigValue>;

constexpr std::string_view kLayers = "layers.";
constexpr std::string_view kExpected = "expect.";

struct LayerText {
    std::string prefix;  // "layers.2."
    Values values;       // keys without the prefix

    // "layers.conv2d_1", as settings are known by.
    std::string key() const {
        std::string name(value_of(values, "name"));
        std::erase(name, '"');
        return std::string(kLayers) + name;
    }

    std::string content() const {  // all but the name, which counts layers
        std::string text;
        for (const ConfigValue& each : values) {
            if (each.key == "name") continue;
            text += (text.empty() ? "" : ", ") + each.key + " = " + each.value;
        }
        return text;
    }
};

std::vector<LayerText> layers_of(const Values& values) {
    std::vector<LayerText> layers;
    for (const ConfigValue& each : values) {
        if (!each.key.starts_with(kLayers)) continue;
        const std::size_t dot = each.key.find('.', kLayers.size());
        if (dot == std::string::npos) continue;
        const std::string prefix = each.key.substr(0, dot + 1);
        if (layers.empty() || layers.back().prefix != prefix) layers.push_back({prefix, {}});
        layers.back().values.push_back({each.key.substr(dot + 1), each.value, each.origin});
    }
    return layers;
}

// Differences of two lists of values; keys of either get `prefix` in front.
void add_differences(const Values& first, const Values& second, const std::string& prefix,
                     std::vector<SettingDifference>& differences) {
    for (const ConfigValue& each : first) {
        const std::string other(value_of(second, each.key));
        if (other != each.value) differences.push_back({prefix + each.key, each.value, other});
    }
    for (const ConfigValue& each : second) {
        const bool is_known = std::ranges::find(first, each.key, &ConfigValue::key) != first.end();
        if (!is_known) differences.push_back({prefix + each.key, "", each.value});
    }
}

// What trains, but for the layers: what the source printed does not.
Values plain_settings(Values values) {
    std::erase_if(values, [](const ConfigValue& each) {
        return each.key.starts_with(kLayers) || each.key.starts_with(kExpected);
    });
    return values;
}

Values without_name(Values values) {
    std::erase_if(values, [](const ConfigValue& each) { return each.key == "name"; });
    return values;
}

// lengths[i][j]: of the longest common subsequence of first[i..] and second[j..].
std::vector<std::vector<int>> common_lengths(const std::vector<LayerText>& first,
                                             const std::vector<LayerText>& second) {
    std::vector<std::vector<int>> lengths(first.size() + 1, std::vector<int>(second.size() + 1, 0));
    for (std::size_t i = first.size(); i-- > 0;) {
        for (std::size_t j = second.size(); j-- > 0;) {
            lengths[i][j] = first[i].content() == second[j].content()
                                ? lengths[i + 1][j + 1] + 1
                                : std::max(lengths[i + 1][j], lengths[i][j + 1]);
        }
    }
    return lengths;
}

// The layers between two common ones: pairs of one type differ in settings, others as a whole.
void add_gap(std::vector<const LayerText*>& first, std::vector<const LayerText*>& second,
             std::vector<SettingDifference>& differences) {
    std::size_t i = 0;
    std::size_t j = 0;
    const auto type_of = [](const LayerText& layer) { return value_of(layer.values, "type"); };
    while (i < first.size() || j < second.size()) {
        const bool are_both = i < first.size() && j < second.size();
        if (are_both && type_of(*first[i]) == type_of(*second[j])) {
            add_differences(without_name(first[i]->values), without_name(second[j]->values),
                            first[i]->key() + '.', differences);
            ++i;
            ++j;
            continue;
        }
        const bool is_first =
            j == second.size() || (are_both && first.size() - i > second.size() - j);
        const LayerText& layer = is_first ? *first[i++] : *second[j++];
        differences.push_back(
            {layer.key(), is_first ? layer.content() : "", is_first ? "" : layer.content()});
    }
    first.clear();
    second.clear();
}

void add_layer_differences(const std::vector<LayerText>& first,
                           const std::vector<LayerText>& second,
                           std::vector<SettingDifference>& differences) {
    const auto lengths = common_lengths(first, second);
    std::vector<const LayerText*> first_gap;
    std::vector<const LayerText*> second_gap;
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < first.size() && j < second.size()) {
        if (first[i].content() == second[j].content()) {
            add_gap(first_gap, second_gap, differences);
            ++i;
            ++j;
        } else if (lengths[i + 1][j] >= lengths[i][j + 1]) {
            first_gap.push_back(&first[i++]);
        } else {
            second_gap.push_back(&second[j++]);
        }
    }
    while (i < first.size()) first_gap.push_back(&first[i++]);
    while (j < second.size()) second_gap.push_back(&second[j++]);
    add_gap(first_gap, second_gap, differences);
}

// A layer that only one run has, under a name that the other one's layer elsewhere has too: whose
// it is.
void tell_apart(const std::vector<LayerText>& first, const std::vector<LayerText>& second,
                std::vector<SettingDifference>& differences) {
    const auto has = [](const std::vector<LayerText>& layers, const std::string& key) {
        return std::ranges::find(layers, key, &LayerText::key) != layers.end();
    };
    for (SettingDifference& each : differences) {
        if (each.second.empty() && has(second, each.key)) {
            each.key += " (of first)";
        } else if (each.first.empty() && has(first, each.key)) {
            each.key += " (of second)";
        }
    }
}

}  // namespace

std::vector<SettingDifference> setting_differences(const Values& first, const Values& second) {
    std::vector<SettingDifference> differences;
    add_differences(plain_settings(first), plain_settings(second), "", differences);
    const std::vector<LayerText> of_first = layers_of(first), of_second = layers_of(second);
    add_layer_differences(of_first, of_second, differences);
    tell_apart(of_first, of_second, differences);
    return differences;
}

}  // namespace lockstep::reports
