#include "reports/figures/run_settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "reports/figures/config_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

constexpr std::string_view kLayers = "layers.";

template <class Number>
bool read_whole(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end;
}

// Of a value as effective.toml has it.
Cell cell_of(const std::string& value) {
    std::int64_t whole = 0;
    if (read_whole(value, whole)) return whole;
    double real = 0.0;
    if (read_whole(value, real) && std::isfinite(real)) return real;
    if (value.starts_with('"')) {  // a basic string, which JSON reads but for \U
        const auto text = nlohmann::json::parse(value, nullptr, false);
        if (text.is_string()) return text.get<std::string>();
    }
    return value;
}

// "layers.3.filters" -> {"layers.3", "filters"}; {"", key} of other keys.
std::pair<std::string, std::string> layer_of(const std::string& key) {
    if (!key.starts_with(kLayers)) return {"", key};
    const std::size_t dot = key.find('.', kLayers.size());
    if (dot == std::string::npos) return {"", key};
    return {key.substr(0, dot), key.substr(dot + 1)};
}

bool is_setting(std::string_view key) {
    constexpr std::array<std::string_view, 4> kNone{"schema", "name", "title", "source"};
    return std::ranges::find(kNone, key) == kNone.end() && !key.starts_with("expect.") &&
           !key.starts_with("experiment.");
}

}  // namespace

std::vector<RunSetting> run_settings(std::string_view effective_config) {
    const std::vector<ConfigValue> values = config_values(effective_config);
    std::map<std::string, std::string> names;  // by "layers.3"
    for (const ConfigValue& each : values) {
        const auto [layer, key] = layer_of(each.key);
        if (layer.empty() || key != "name") continue;
        const Cell name = cell_of(each.value);
        if (const auto* text = std::get_if<std::string>(&name)) names[layer] = *text;
    }
    std::vector<RunSetting> settings;
    for (const ConfigValue& each : values) {
        const auto [layer, key] = layer_of(each.key);
        if (layer.empty() ? !is_setting(key) : key == "name") continue;
        const auto name = names.find(layer);
        const bool is_named = !layer.empty() && name != names.end();
        settings.push_back({is_named ? std::string(kLayers) + name->second + '.' + key : each.key,
                            cell_of(each.value)});
    }
    return settings;
}

std::string settings_json(const std::vector<RunSetting>& settings) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const RunSetting& each : settings) {
        if (const auto* whole = std::get_if<std::int64_t>(&each.value)) json[each.key] = *whole;
        if (const auto* real = std::get_if<double>(&each.value)) json[each.key] = *real;
        if (const auto* text = std::get_if<std::string>(&each.value)) json[each.key] = *text;
    }
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace lockstep::reports
