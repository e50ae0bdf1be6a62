#include "pipeline/store/run_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <utility>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunSetting;
using reports::SettingsTable;

void drop_column(storage::Table& table, std::string_view column) {
    const auto place = static_cast<std::ptrdiff_t>(place_of(table, column));
    table.columns.erase(table.columns.begin() + place);
    for (auto& row : table.rows) row.erase(row.begin() + place);
}

// "a or b"; of many the first, and how many more.
std::string listed(const std::vector<std::string>& choices) {
    constexpr std::size_t kMost = 4;
    if (choices.size() <= kMost) return fmt::format("{}", fmt::join(choices, " or "));
    const auto first = choices.begin();
    return fmt::format("{} or {} others", fmt::join(first, first + kMost, " or "),
                       choices.size() - kMost);
}

// A condition is about columns, and each layer has its own.
std::string hint_for(const std::vector<std::string>& choices, const std::string& text) {
    const bool are_layers = std::ranges::all_of(
        choices, [](const std::string& key) { return key.starts_with("layers."); });
    if (!are_layers) return "";
    return fmt::format(
        "; of any layer: lockstep query \"select distinct name, value from v_settings where key "
        "like 'layers.%.{}'\"",
        text);
}

// The full name of what a user means; what means nothing stays as it is, and is refused later.
std::string meant(const SettingsTable& settings, std::string_view option, const std::string& text) {
    const reports::MeantColumn column = reports::meant_column(settings, text);
    if (column.choices.empty()) return column.found.empty() ? text : column.found;
    throw UsageError(fmt::format("{}: \"{}\" may mean {}{}", option, text, listed(column.choices),
                                 hint_for(column.choices, text)));
}

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

bool begins_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool goes_on(char c) {
    return begins_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.';
}

// Where what begins with a quote or bracket at `begin` ends.
std::size_t end_of_quoted(std::string_view text, std::size_t begin) {
    const char close = text[begin] == '[' ? ']' : text[begin];
    const std::size_t end = text.find(close, begin + 1);
    return end == std::string_view::npos ? text.size() : end + 1;
}

// Every setting that there is, by its key and by the short name that it is shown under.
std::vector<std::string> known_names(const SettingsTable& settings) {
    const auto& columns = settings.table.columns;
    std::vector<std::string> names(columns.begin(), columns.end());
    for (std::size_t i = settings.first; i < columns.size(); ++i)
        names.push_back(reports::short_name(settings, columns[i]));
    return names;
}

// A word of a condition: a setting becomes a quoted column; what SQL may know stays as it is.
std::string as_column(const SettingsTable& settings, const std::string& word) {
    const std::string column = meant(settings, "--where", word);
    const bool is_dotted = word.find('.') != std::string::npos;
    if (column != word) return '"' + column + '"';
    if (!is_dotted || word.starts_with("v_runs.") || word.starts_with("compared.")) return word;
    if (std::ranges::find(settings.table.columns, word) != settings.table.columns.end())
        return '"' + word + '"';
    const std::vector<std::string> names = known_names(settings);
    const std::vector<std::string_view> known(names.begin(), names.end());
    throw UsageError(
        fmt::format("--where: no run has a setting \"{}\"{}", word, did_you_mean(word, known)));
}

// A condition with each word as `replaced` has it; what stands in quotes is none.
template <class Replace>
std::string with_words(const std::string& where, Replace replaced) {
    std::string result;
    for (std::size_t i = 0; i < where.size();) {
        std::size_t end = i + 1;
        if (std::string_view("'\"`[").find(where[i]) != std::string_view::npos) {
            end = end_of_quoted(where, i);
        } else if (goes_on(where[i])) {  // a word, or a number with what belongs to it
            while (end < where.size() && goes_on(where[end])) ++end;
        }
        std::string word = where.substr(i, end - i);
        if (begins_word(word.front())) word = replaced(word);
        result += word;
        i = end;
    }
    return result;
}

// A condition in which every setting is a quoted column.
std::string with_quoted_settings(const SettingsTable& settings, const std::string& where) {
    return with_words(where, [&](const std::string& word) { return as_column(settings, word); });
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

// Without the settings that nobody asks for: SQLite takes 2,000 columns.
storage::Table without_unwanted(const SettingsTable& settings, const RowOptions& options,
                                std::span<const std::string_view> usual_columns) {
    const storage::Table& wide = settings.table;
    const auto is_wanted = [&](std::size_t column) {
        const std::string& key = wide.columns[column];
        const auto sorts_by = [&](const std::string& text) {
            return text == key || text == '-' + key;
        };
        return column < settings.first ||
               std::ranges::find(options.columns, key) != options.columns.end() ||
               (options.columns.empty() &&
                std::ranges::find(usual_columns, key) != usual_columns.end()) ||
               std::ranges::any_of(options.sort, sorts_by) ||
               options.where.find('"' + key + '"') != std::string::npos;
    };
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < wide.columns.size(); ++i)
        if (is_wanted(i)) kept.push_back(i);
    storage::Table table;
    for (const std::size_t i : kept) table.columns.push_back(wide.columns[i]);
    for (const auto& row : wide.rows) {
        auto& cells = table.rows.emplace_back();
        for (const std::size_t i : kept) cells.push_back(row[i]);
    }
    return table;
}

// With full names of columns and settings.
RowOptions in_full(const SettingsTable& settings, const RowOptions& options) {
    RowOptions full = options;
    full.where = with_quoted_settings(settings, options.where);
    for (std::string& key : full.sort) {
        const std::string sign = key.starts_with('-') ? "-" : "";
        key = sign + meant(settings, "--sort", key.substr(sign.size()));
    }
    full.columns = options.columns == std::vector<std::string>{"all"}
                       ? settings.table.columns
                       : meant_columns(settings, options.columns);
    return full;
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
    drop_column(runs, "settings");
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
    with_words(options.where, [&](const std::string& word) {
        add(meant(settings, "--where", word));
        return word;
    });
    return asked;
}

storage::Table chosen_rows(const SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns) {
    const RowOptions full = in_full(settings, options);
    return chosen_rows(without_unwanted(settings, full, usual_columns), name, full, usual_columns);
}

ChosenRows chosen_rows_and(const SettingsTable& settings, std::string_view name,
                           const RowOptions& options,
                           std::span<const std::string_view> usual_columns,
                           std::span<const std::string_view> more) {
    RowOptions full = in_full(settings, options);
    if (full.columns.empty()) full.columns.assign(usual_columns.begin(), usual_columns.end());
    const std::size_t shown = full.columns.size();
    full.columns.insert(full.columns.end(), more.begin(), more.end());
    const storage::Table all = chosen_rows(without_unwanted(settings, full, {}), name, full, {});
    return {columns_of(all, 0, shown), columns_of(all, shown, all.columns.size())};
}

}  // namespace lockstep::pipeline
