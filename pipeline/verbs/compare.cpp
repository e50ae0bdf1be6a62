#include "pipeline/verbs/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/progress/terminal_lines.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/store/architecture_verdict.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/leaderboard.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/accuracy_notes.hpp"
#include "reports/tables/compared_tables.hpp"
#include "reports/tables/fitting_table.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunFigures;
using reports::SettingsTable;
using storage::Cell;
using storage::Table;

// As matching_runs(); what names no run and no design may name an experiment, and stands for all of
// its runs, whatever ids begin so.
std::vector<std::string> runs_or_experiments(const storage::RunDatabase& database,
                                             const std::vector<std::string>& texts) {
    const std::vector<storage::ExperimentRow> experiments = database.experiments();
    std::vector<std::string> runs;
    for (const std::string& text : texts) {
        const std::vector<storage::RunRow> matches = database.match_runs(text);
        const bool is_experiment =
            std::ranges::find(experiments, text, &storage::ExperimentRow::name) !=
                experiments.end() &&
            (matches.empty() || !is_name_of(text, matches.front()));
        for (const std::string& run : is_experiment ? texts_of(database.runs_table(text), "run")
                                                    : matching_runs(database, {text}))
            if (std::ranges::find(runs, run) == runs.end()) runs.push_back(run);
    }
    return runs;
}

std::vector<std::string> selected(const storage::RunDatabase& database,
                                  const CompareOptions& options) {
    require_experiment(database, options.experiment);
    std::vector<std::string> runs = options.runs.empty()
                                        ? texts_of(database.runs_table(options.experiment), "run")
                                        : runs_or_experiments(database, options.runs);
    std::erase_if(runs, [&](const std::string& run) {
        const std::vector<std::string> tags = database.tags(run);
        return std::ranges::any_of(options.tags, [&](const std::string& wanted) {
            return std::ranges::find(tags, wanted) == tags.end();
        });
    });
    return runs;
}

// Runs whose settings are those of the rows: each, or the first one of an architecture's.
std::vector<std::size_t> runs_of_rows(const std::vector<RunFigures>& runs, ComparedBy by) {
    std::vector<std::size_t> rows;
    if (by == ComparedBy::run) {
        for (std::size_t i = 0; i < runs.size(); ++i) rows.push_back(i);
    } else {
        for (const auto& entry : reports::leaderboard(runs)) rows.push_back(entry.runs.front());
    }
    return rows;
}

// The row that is called so by its first column, or by its run's id.
const std::vector<Cell>& the_baseline(const Table& table, const std::string& name) {
    const std::size_t run = place_of(table, "run");
    const auto is_meant = [&](const std::vector<Cell>& row) {
        return row[0] == Cell(name) || (run < row.size() && row[run] == Cell(name));
    };
    const auto count = std::ranges::count_if(table.rows, is_meant);
    if (count == 1) return *std::ranges::find_if(table.rows, is_meant);
    if (count > 1)
        throw UsageError(
            fmt::format("--baseline: {} of the rows are called \"{}\"; an id tells "
                        "them apart, or --by architecture",
                        count, name));
    const std::vector<std::string> names = texts_of(table, table.columns.front());
    const std::vector<std::string_view> known(names.begin(), names.end());
    throw UsageError(fmt::format("--baseline: none of the rows is called \"{}\"{}", name,
                                 did_you_mean(name, known)));
}

// Behind test_accuracy: how far it is above that of the baseline; nothing on other images.
void add_difference(Table& table, const std::string& baseline) {
    if (baseline.empty()) return;
    const std::size_t accuracy = place_of(table, "test_accuracy");
    const std::size_t set = place_of(table, "test_set");
    const std::vector<Cell>& base_row = the_baseline(table, baseline);
    const auto* base = std::get_if<double>(&base_row[accuracy]);
    std::vector<Cell> differences;
    for (const std::vector<Cell>& row : table.rows) {
        const auto* ours = std::get_if<double>(&row[accuracy]);
        Cell& difference = differences.emplace_back();
        const bool is_comparable = ours != nullptr && base != nullptr && row[set] == base_row[set];
        if (is_comparable) difference = *ours - *base;
    }
    reports::insert_column(table, accuracy + 1, "above_baseline_accuracy", differences);
}

SettingsTable compared(const std::vector<RunFigures>& runs, const CompareOptions& options) {
    Table table = options.by == ComparedBy::run ? reports::compared_runs(runs)
                                                : reports::compared_architectures(runs);
    add_difference(table, options.baseline);
    std::vector<std::vector<reports::RunSetting>> settings;
    for (const std::size_t i : runs_of_rows(runs, options.by))
        settings.push_back(reports::run_settings(runs[i].run.effective_config));
    return reports::with_settings(std::move(table), settings);
}

// What people look for: the first of them in front of the settings; the other figures follow.
constexpr std::size_t kFirstOfAll = 2;
constexpr std::array<std::string_view, 5> kForemost{"test_accuracy", "above_baseline_accuracy",
                                                    "test_accuracy_low", "test_accuracy_high",
                                                    "best_val_accuracy"};

// Runs of one name.
constexpr std::array<std::string_view, 2> kTellApart{"experiment", "run"};

// The name, the settings that differ, and the figures: for people the test accuracy first, and what
// they ask for and the other foremost figures before the rest.
std::vector<std::string_view> usual_columns(const SettingsTable& table,
                                            std::span<const std::string> asked,
                                            std::span<const std::string> differing,
                                            bool is_for_people) {
    const std::span<const std::string> figures =
        std::span(table.table.columns).subspan(1, table.first - 1);
    std::vector<std::string_view> usual{table.table.columns.front()};
    const auto add = [&](std::string_view column) {
        if (std::ranges::find(usual, column) == usual.end()) usual.push_back(column);
    };
    const auto add_foremost = [&](std::span<const std::string_view> columns) {
        for (const std::string_view column : columns)
            if (is_for_people && std::ranges::find(figures, column) != figures.end()) add(column);
    };
    add_foremost(std::span(kForemost).first(kFirstOfAll));
    if (is_for_people) std::ranges::for_each(asked, add);
    std::ranges::for_each(differing, add);
    add_foremost(kForemost);
    std::ranges::for_each(figures, add);
    return usual;
}

// Runs of the rows that --where and --limit leave.
std::vector<RunFigures> shown_runs(const std::vector<RunFigures>& runs, const SettingsTable& table,
                                   const CompareOptions& options) {
    const std::string_view column = options.by == ComparedBy::run ? "run" : "architecture";
    RowOptions rows = options.rows;
    rows.columns.clear();
    const std::vector<std::string> wanted =
        texts_of(chosen_rows(table, "compared", rows, {&column, 1}), column);
    const auto is_wanted = [&](const std::string& name) {
        return std::ranges::find(wanted, name) != wanted.end();
    };
    std::vector<RunFigures> shown;
    if (options.by == ComparedBy::run) {
        std::ranges::copy_if(runs, std::back_inserter(shown),
                             [&](const RunFigures& run) { return is_wanted(run.run.run); });
        return shown;
    }
    for (const auto& entry : reports::leaderboard(runs)) {
        if (!is_wanted(entry.name)) continue;
        for (const std::size_t run : entry.runs) shown.push_back(runs[run]);
    }
    return shown;
}

// What the figures do not say alone.
void print_notes(const storage::RunDatabase& database, const std::vector<RunFigures>& shown,
                 const std::vector<std::string>& asked) {
    const bool is_disturbed =
        std::ranges::any_of(shown, [](const RunFigures& run) { return run.stopped_seconds > 0.0; });
    if (is_disturbed) {
        print(
            terminal_lines("Disturbed: of some runs a rank stood still meanwhile "
                           "(stopped_seconds): their times and "
                           "rates tell nothing."));
    }
    print(verdict_lines(comparison_of(database, shown, asked)));
}

}  // namespace

int compare(const CompareOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const std::vector<std::string> asked_runs = selected(database, options);
    const std::vector<RunFigures> runs = figures_of(database, asked_runs);
    const SettingsTable table = compared(runs, options);
    const std::vector<std::string> differing = reports::differing_settings(table);
    const bool is_for_people = shows_to_people(options.format);
    const std::vector<std::string> asked = asked_columns(table, options.rows);
    auto [shown, facts] = chosen_rows_and(table, "compared", options.rows,
                                          usual_columns(table, asked, differing, is_for_people),
                                          reports::kAccuracyFacts);
    Fitting fitting{.may_drop = options.rows.columns.empty(),
                    .kept = {"test_accuracy", "above_baseline_accuracy"}};
    if (reports::has_several_test_sets(facts)) fitting.kept.emplace_back("test_set");
    for (const std::string& column : asked) fitting.kept.push_back(shown_name(table, column));
    if (fitting.may_drop && is_for_people) {
        shorten_settings(table, shown);
        if (auto column = reports::tell_apart(shown, kTellApart)) fitting.kept.push_back(*column);
        shown = reports::with_accuracy_marks(std::move(shown), facts);
    }
    if (fitting.may_drop || place_of(shown, "test_accuracy") < shown.columns.size())
        fitting.notes = reports::accuracy_notes(facts, fitting.may_drop);
    if (shown.rows.empty() && is_for_people) {
        tell_no_rows(table.table.rows.size());
        return kExitSuccess;
    }
    fitting.together = {{"test_accuracy_low", "test_accuracy_high"},
                        {"run_seconds", "stopped_seconds"},
                        {"images_per_second", "stopped_seconds"}};
    print_fitting(shown, options.format, fitting);
    if (options.format == reports::TableFormat::table)
        print_notes(database, shown_runs(runs, table, options), asked_runs);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
