#include "reports/tables/architecture_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

// Of every type of layer how many there are, in the order of the first of each.
std::string layers_text(const RunFigures& run) {
    std::vector<std::pair<std::string_view, int>> types;
    for (const ConfigValue& each : run.config) {
        if (!each.key.starts_with("layers.") || !each.key.ends_with(".type")) continue;
        const std::string_view type = text_in(each.value);
        auto found = std::ranges::find(types, type, &std::pair<std::string_view, int>::first);
        if (found == types.end()) found = types.insert(found, {type, 0});
        ++found->second;
    }
    std::string text;
    for (const auto& [type, count] : types) {
        text += text.empty() ? "" : ", ";
        text += count == 1 ? std::string(type) : fmt::format("{} {}", count, type);
    }
    return text;
}

void add_layers(const ExperimentReport& report, Table& table) {
    table.columns.emplace_back("layers");
    for (std::size_t i = 0; i < report.entries.size(); ++i)
        table.rows[i].emplace_back(layers_text(report.runs[report.entries[i].runs.front()]));
}

void add_setting(const ExperimentReport& report, const std::string& title,
                 const std::vector<Cell>& values, Table& table) {
    table.columns.push_back(title);
    for (std::size_t i = 0; i < report.entries.size(); ++i)
        table.rows[i].push_back(values[report.entries[i].runs.front()]);
}

}  // namespace

Table architecture_settings(const ExperimentReport& report, const Sweep& sweep) {
    Table table{{"architecture"}, {}};
    for (const ArchitectureFigures& entry : report.entries) table.rows.push_back({entry.name});
    for (const auto* settings : {&sweep.settings, &sweep.others}) {
        for (const SweptSetting& setting : *settings) {
            if (setting.name.key == kNetworkKey)
                add_layers(report, table);
            else
                add_setting(report, setting.name.name, setting.values, table);
            for (const Follower& each : setting.followers)
                add_setting(report, each.name.name, each.values, table);
        }
    }
    return table;
}

}  // namespace lockstep::reports
