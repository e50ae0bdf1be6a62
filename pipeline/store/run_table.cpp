#include "pipeline/store/run_table.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/store/condition_text.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_columns.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunSetting;
using reports::SettingsTable;

// Each once: two words may mean one column.
std::vector<std::string> meant_columns(const SettingsTable& settings,
                                       const std::vector<std::string>& texts) {
    std::vector<std::string> columns;
    for (const std::string& text : texts) {
        std::string column = meant(settings, "--columns", text);
        if (std::ranges::find(columns, column) == columns.end())
            columns.push_back(std::move(column));
    }
    return columns;
}

std::vector<std::vector<RunSetting>> settings_of(const std::vector<storage::RunRow>& rows,
                                                 const storage::Table& runs) {
    std::unordered_map<std::string, std::vector<RunSetting>> by_run;
    for (const storage::RunRow& row : rows)
        by_run[row.run] = reports::run_settings(row.effective_config);
    std::vector<std::vector<RunSetting>> settings;
    for (const std::string& run : texts_of(runs, "run")) settings.push_back(by_run[run]);
    return settings;
}

// What a user asks for, with full names of columns and settings.
struct Asked {
    RowOptions options;
    std::vector<std::string> of_condition{};  // columns that its condition is about
};

Asked in_full(const SettingsTable& settings, const RowOptions& options) {
    Condition condition = condition_of(settings, options.where);
    Asked full{options, std::move(condition.columns)};
    full.options.where = std::move(condition.sql);
    for (std::string& key : full.options.sort) {
        const std::string sign = key.starts_with('-') ? "-" : "";
        key = sign + meant(settings, "--sort", key.substr(sign.size()));
    }
    full.options.columns = options.columns == std::vector<std::string>{"all"}
                               ? settings.table.columns
                               : meant_columns(settings, options.columns);
    return full;
}

// Without the settings that nobody asks for: SQLite takes 2,000 columns.
storage::Table without_unwanted(const SettingsTable& settings, const Asked& asked,
                                std::span<const std::string_view> usual_columns) {
    std::set<std::string, std::less<>> wanted(asked.of_condition.begin(), asked.of_condition.end());
    for (const std::string& key : asked.options.sort)
        wanted.insert(key.starts_with('-') ? key.substr(1) : key);
    if (asked.options.columns.empty())
        wanted.insert(usual_columns.begin(), usual_columns.end());
    else
        wanted.insert(asked.options.columns.begin(), asked.options.columns.end());
    const storage::Table& wide = settings.table;
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < wide.columns.size(); ++i)
        if (i < settings.first || wanted.contains(wide.columns[i])) kept.push_back(i);
    storage::Table table;
    for (const std::size_t i : kept) table.columns.push_back(wide.columns[i]);
    for (const auto& row : wide.rows) {
        auto& cells = table.rows.emplace_back();
        for (const std::size_t i : kept) cells.push_back(row[i]);
    }
    return table;
}

storage::Table columns_of(const storage::Table& table, std::size_t begin, std::size_t end) {
    const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
    storage::Table part{{table.columns.begin() + from, table.columns.begin() + to}, {}};
    for (const auto& row : table.rows) part.rows.emplace_back(row.begin() + from, row.begin() + to);
    return part;
}

}  // namespace

SettingsTable runs_with_settings(const storage::RunDatabase& database,
                                 const std::string& experiment) {
    storage::Table runs;
    std::vector<storage::RunRow> rows;
    database.read_at_once([&] {
        runs = runs_table_of(database, experiment);
        rows = database.runs(experiment);
    });
    reports::erase_column(runs, place_of(runs, "settings"));
    const auto settings = settings_of(rows, runs);
    return reports::with_settings(std::move(runs), settings);
}

std::vector<std::string> asked_columns(const SettingsTable& settings, const RowOptions& options) {
    const auto& known = settings.table.columns;
    std::vector<std::string> asked;
    const auto add = [&](const std::string& column) {
        const bool is_known = std::ranges::find(known, column) != known.end();
        if (is_known && std::ranges::find(asked, column) == asked.end()) asked.push_back(column);
    };
    for (const std::string& key : options.sort)
        add(meant(settings, "--sort", key.starts_with('-') ? key.substr(1) : key));
    std::ranges::for_each(condition_of(settings, options.where).columns, add);
    return asked;
}

storage::Table chosen_rows(const SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns) {
    const Asked full = in_full(settings, options);
    return chosen_rows(without_unwanted(settings, full, usual_columns), name, full.options,
                       usual_columns);
}

ChosenRows chosen_rows_and(const SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns,
                           std::span<const std::string_view> more) {
    Asked full = in_full(settings, options);
    std::vector<std::string>& columns = full.options.columns;
    if (columns.empty()) columns.assign(usual_columns.begin(), usual_columns.end());
    const std::size_t shown = columns.size();
    columns.insert(columns.end(), more.begin(), more.end());
    const storage::Table all =
        chosen_rows(without_unwanted(settings, full, {}), name, full.options, {});
    return {columns_of(all, 0, shown), columns_of(all, shown, all.columns.size())};
}

}  // namespace lockstep::pipeline
