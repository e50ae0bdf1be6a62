#include "pipeline/planning/swept_settings.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "reports/figures/run_settings.hpp"
#include "reports/tables/setting_columns.hpp"
#include "reports/tables/table_columns.hpp"

namespace lockstep::pipeline {
namespace {

using reports::SettingsTable;

SettingsTable settings_of(const Plan& plan) {
    std::vector<std::vector<reports::RunSetting>> settings;
    for (const PlannedRun& planned : plan.runs)
        settings.push_back(
            reports::run_settings(effective_toml(planned.effective, plan.experiment)));
    return reports::with_settings({{}, {plan.runs.size(), std::vector<storage::Cell>()}}, settings);
}

// Keys, in the order of the columns.
std::vector<std::string> swept_keys(const SettingsTable& settings, const Plan& plan) {
    std::map<std::string, SettingsTable> by_name;
    for (std::size_t i = 0; i < plan.runs.size(); ++i) {
        SettingsTable& group = by_name[plan.runs[i].run.base_name];
        group.table.columns = settings.table.columns;
        group.table.rows.push_back(settings.table.rows[i]);
    }
    std::vector<std::string> found;
    for (const auto& [name, group] : by_name) {
        const std::vector<std::string> keys = reports::differing_settings(group);
        found.insert(found.end(), keys.begin(), keys.end());
    }
    std::vector<std::string> keys;
    for (const std::string& key : settings.table.columns)
        if (std::ranges::find(found, key) != found.end()) keys.push_back(key);
    return keys;
}

}  // namespace

storage::Table with_swept_settings(storage::Table table, const Plan& plan) {
    const SettingsTable settings = settings_of(plan);
    std::size_t place = 1;
    for (const std::string& key : swept_keys(settings, plan)) {
        const std::string name = reports::short_name(settings, key);
        if (std::ranges::find(table.columns, name) != table.columns.end()) continue;
        const std::size_t column = reports::place_of(settings.table, key);
        std::vector<storage::Cell> cells;
        for (const auto& row : settings.table.rows) cells.push_back(row[column]);
        reports::insert_column(table, place++, name, cells);
    }
    return table;
}

}  // namespace lockstep::pipeline
