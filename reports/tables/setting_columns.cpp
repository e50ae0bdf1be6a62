#include "reports/tables/setting_columns.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr std::string_view kLayers = "layers.";

bool is_empty(const Cell& cell) { return std::holds_alternative<std::monostate>(cell); }

bool ends_as(std::string_view key, std::string_view text) {
    return key == text || (key.size() > text.size() && key.ends_with(text) &&
                           key[key.size() - text.size() - 1] == '.');
}

std::span<const std::string> keys_of(const SettingsTable& settings) {
    return std::span(settings.table.columns).subspan(settings.first);
}

// Which layers there are changes from run to run: their keys take no name from another one.
std::optional<std::string> the_one_of_no_layer(std::span<const std::string> keys) {
    std::optional<std::string> found;
    for (const std::string& key : keys) {
        if (key.starts_with(kLayers)) continue;
        if (found) return std::nullopt;
        found = key;
    }
    return found;
}

bool differs(const Table& table, std::size_t column) {
    const Cell* known = nullptr;
    for (const std::vector<Cell>& row : table.rows) {
        const Cell& cell = row[column];
        if (is_empty(cell)) continue;
        if (known != nullptr && *known != cell) return true;
        known = &cell;
    }
    return false;
}

// Whether all rows have layers of the same names and types.
bool is_one_network(const SettingsTable& settings) {
    const Table& table = settings.table;
    for (std::size_t i = settings.first; i < table.columns.size(); ++i) {
        const std::string& key = table.columns[i];
        if (!key.starts_with(kLayers) || !key.ends_with(".type")) continue;
        const bool is_everywhere =
            std::ranges::none_of(table.rows, [&](const auto& row) { return is_empty(row[i]); });
        if (!is_everywhere || differs(table, i)) return false;
    }
    return true;
}

}  // namespace

SettingsTable with_settings(Table table, std::span<const std::vector<RunSetting>> settings) {
    SettingsTable result{std::move(table), 0};
    Table& wide = result.table;
    result.first = wide.columns.size();
    std::unordered_map<std::string_view, std::size_t>
        places;  // keys of `settings`, which outlive it
    for (const std::vector<RunSetting>& of_row : settings)
        for (const RunSetting& each : of_row)
            if (places.try_emplace(each.key, wide.columns.size()).second)
                wide.columns.push_back(each.key);
    for (std::size_t i = 0; i < wide.rows.size(); ++i) {
        wide.rows[i].resize(wide.columns.size());
        for (const RunSetting& each : settings[i]) wide.rows[i][places.at(each.key)] = each.value;
    }
    return result;
}

std::vector<std::string> differing_settings(const SettingsTable& settings) {
    constexpr std::array<std::string_view, 3> kNever{"train.seed", "data.path", "data.classes"};
    const bool shows_layers = is_one_network(settings);
    std::vector<std::string> keys;
    for (std::size_t i = settings.first; i < settings.table.columns.size(); ++i) {
        const std::string& key = settings.table.columns[i];
        const bool is_shown = shows_layers || !key.starts_with(kLayers);
        if (is_shown && std::ranges::find(kNever, key) == kNever.end() &&
            differs(settings.table, i))
            keys.push_back(key);
    }
    return keys;
}

MeantColumn meant_column(const SettingsTable& settings, std::string_view text) {
    const auto& columns = settings.table.columns;
    if (std::ranges::find(columns, text) != columns.end()) return {std::string(text), {}};
    MeantColumn meant;
    for (const std::string& key : keys_of(settings))
        if (ends_as(key, text)) meant.choices.push_back(key);
    if (const auto other = the_one_of_no_layer(meant.choices)) meant.choices = {*other};
    if (meant.choices.size() == 1) meant.found = std::exchange(meant.choices, {}).front();
    return meant;
}

std::string short_name(const SettingsTable& settings, const std::string& key) {
    for (std::size_t dot = key.rfind('.'); dot != std::string::npos && dot > 0;
         dot = key.rfind('.', dot - 1)) {
        std::string end = key.substr(dot + 1);
        if (meant_column(settings, end).found == key) return end;
    }
    return key;
}

}  // namespace lockstep::reports
