#include "pipeline/verbs/ls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/log_progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/chance_level.hpp"
#include "reports/figures/config_text.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/figures/test_set.hpp"
#include "reports/figures/test_set_of_run.hpp"
#include "reports/tables/accuracy_notes.hpp"
#include "reports/tables/fitting_table.hpp"
#include "reports/tables/table_columns.hpp"
#include "reports/words/test_set_text.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

using reports::SettingsTable;
using storage::Cell;
using storage::Table;

// For programs; the settings that differ stand behind them.
constexpr std::array<std::string_view, 22> kAllFigures{"experiment",
                                                       "run",
                                                       "name",
                                                       "seed",
                                                       "state",
                                                       "epochs_finished",
                                                       "epochs_planned",
                                                       "best_epoch",
                                                       "best_val_accuracy",
                                                       "test_loss",
                                                       "test_accuracy",
                                                       "test_top_5_accuracy",
                                                       "parameters",
                                                       "ranks",
                                                       "host",
                                                       "attempts",
                                                       "all_epochs_seconds",
                                                       "started_utc",
                                                       "finished_utc",
                                                       "cause",
                                                       "is_nan",
                                                       "stopped_seconds"};

// For people: what tells most comes first, and the settings that differ between the two.
constexpr std::array<std::string_view, 2> kFirst{"name", "test_accuracy"};
constexpr std::array<std::string_view, 3> kSecond{"state", "progress", "best_val_accuracy"};
constexpr std::array<std::string_view, 3> kLast{"seed", "started_utc", "run"};
// What stands in no column for certain, and has to be known of the rows shown.
constexpr std::array<std::string_view, 4> kFactsOfRows{"test_accuracy", "test_set", "selected_on",
                                                       "state"};

// Runs of one name.
constexpr std::array<std::string_view, 2> kTellApart{"experiment", "run"};

// "12/40", in front of the settings.
void add_progress(SettingsTable& runs) {
    const std::size_t finished = place_of(runs.table, "epochs_finished");
    const std::size_t planned = place_of(runs.table, "epochs_planned");
    std::vector<Cell> progress;
    for (const std::vector<Cell>& row : runs.table.rows)
        progress.emplace_back(fmt::format("{}/{}", std::get<std::int64_t>(row[finished]),
                                          std::get<std::int64_t>(row[planned])));
    reports::insert_column(runs.table, runs.first++, "progress", progress);
}

// What an accuracy was measured on, and whether that chose its epoch: in front of the settings.
void add_accuracy_facts(SettingsTable& runs) {
    Table& table = runs.table;
    std::vector<reports::TestSet> sets;
    const std::size_t dataset = place_of(table, "dataset"), digest = place_of(table, "data_digest");
    const std::size_t images = place_of(table, "test_samples");
    const std::size_t classes = place_of(table, "data.classes");
    for (const std::vector<Cell>& row : table.rows) {
        const auto* list = classes < row.size() ? std::get_if<std::string>(&row[classes]) : nullptr;
        sets.push_back({std::get<std::string>(row[dataset]), std::get<std::string>(row[digest]),
                        reports::list_of_texts(list != nullptr ? *list : std::string()),
                        std::get<std::int64_t>(row[images])});
    }
    const reports::TestSetTexts text_of({sets.begin(), sets.end()});
    const std::size_t selected = place_of(table, "selected_on_test_set");
    std::vector<Cell> texts, marks;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        texts.emplace_back(text_of(sets[i]));
        marks.push_back(table.rows[i][selected] == Cell(std::int64_t{1})
                            ? Cell(std::string(reports::kSelectedOnTestSet))
                            : Cell());
    }
    reports::insert_column(table, runs.first++, "test_set", texts);
    reports::insert_column(table, runs.first++, "selected_on", marks);
}

// By their start; what has not started, by when it was planned.
void put_newest_first(Table& table, std::string_view start, std::string_view planned) {
    const std::size_t first = place_of(table, start), second = place_of(table, planned);
    const auto time = [&](const std::vector<Cell>& row) -> const Cell& {
        return std::holds_alternative<std::string>(row[first]) ? row[first] : row[second];
    };
    std::ranges::stable_sort(table.rows,
                             [&](const auto& a, const auto& b) { return time(b) < time(a); });
}

bool has_several(const Table& table, std::string_view column) {
    const std::size_t place = place_of(table, column);
    std::set<Cell> known;
    for (const auto& row : table.rows) known.insert(row[place]);
    return known.size() > 1;
}

bool has_any(const Table& table, std::string_view column) {
    const std::size_t place = place_of(table, column);
    return std::ranges::any_of(table.rows,
                               [&](const auto& row) { return row[place] != Cell(std::string()); });
}

// Of runs that train now, where their last step was long ago: told as their cause. Whether there is
// one.
bool tell_silences(Table& runs, const storage::RunStore& store) {
    const std::size_t state = place_of(runs, "state");
    const std::size_t run = place_of(runs, "run");
    const std::size_t cause = place_of(runs, "cause");
    bool is_any_silent = false;
    for (auto& row : runs.rows) {
        if (row[state] != Cell(std::string("running"))) continue;
        const auto age = time_since_step(store.run_files(std::get<std::string>(row[run])).log);
        if (!age || *age < kLongWithoutStep) continue;
        row[cause] = step_age_text(*age);
        is_any_silent = true;
    }
    return is_any_silent;
}

// A finished run whose figures are no numbers: its cause says which.
bool is_any_in_doubt(const Table& runs) {
    const std::size_t state = place_of(runs, "state"), is_nan = place_of(runs, "is_nan");
    return std::ranges::any_of(runs.rows, [&](const auto& row) {
        return row[state] == Cell(std::string("finished")) && row[is_nan] == Cell(std::int64_t{1});
    });
}

bool is_any_unfinished(const Table& rows) {
    const std::size_t state = place_of(rows, "state");
    return std::ranges::any_of(
        rows.rows, [&](const auto& row) { return row[state] != Cell(std::string("finished")); });
}

std::vector<std::string_view> usual_columns(const SettingsTable& runs, bool is_for_people,
                                            bool is_any_silent, std::span<const std::string> asked,
                                            std::span<const std::string> differing) {
    std::vector<std::string_view> columns;
    const auto add = [&](const auto& more) {
        for (const std::string_view column : more)
            if (std::ranges::find(columns, column) == columns.end()) columns.push_back(column);
    };
    if (!is_for_people) {
        add(kAllFigures);
        add(differing);
        return columns;
    }
    const auto add_one = [&](std::string_view column) { add(std::array{column}); };
    add(kFirst);
    add(asked);
    if (is_any_silent || is_any_in_doubt(runs.table)) add_one("cause");
    if (has_any(runs.table, "tags")) add_one("tags");
    add(differing);
    add(kSecond);
    if (has_several(runs.table, "experiment")) add_one("experiment");
    add(kLast);
    return columns;
}

// The condition that a run has all of these tags, too.
std::string with_tags(std::string where, const std::vector<std::string>& tags) {
    for (const std::string& tag : tags) {
        if (!storage::is_safe_name(tag)) throw UsageError(fmt::format("no tag: \"{}\"", tag));
        const std::string has_tag = fmt::format("instr(' ' || tags || ' ', ' {} ') > 0", tag);
        where = where.empty() ? has_tag : fmt::format("(\n{}\n) and {}", where, has_tag);
    }
    return where;
}

// Finished runs and the best of them, where their accuracies compare.
struct ExperimentSummary {
    std::int64_t runs = 0;
    std::int64_t finished = 0;
    std::set<reports::TestSet> test_sets{};  // of runs with a test accuracy
    std::optional<reports::RunFigures> best{};
};

ExperimentSummary summary_of(const storage::RunDatabase& database, const std::string& experiment) {
    const Table table = runs_table_of(database, experiment);
    const std::size_t accuracy = place_of(table, "test_accuracy"), state = place_of(table, "state");
    std::map<std::string, double> accuracies;
    ExperimentSummary summary{.runs = static_cast<std::int64_t>(table.rows.size())};
    for (const auto& row : table.rows) {
        if (row[state] == Cell(std::string("finished"))) ++summary.finished;
        const auto* figure = std::get_if<double>(&row[accuracy]);
        if (figure != nullptr)
            accuracies[std::get<std::string>(row[place_of(table, "run")])] = *figure;
    }
    const std::string* best = nullptr;
    for (const storage::RunRow& row : database.runs(experiment)) {
        const auto found = accuracies.find(row.run);
        if (found == accuracies.end()) continue;
        summary.test_sets.insert(reports::test_set_of(row));
        if (best == nullptr || found->second > accuracies.at(*best)) best = &found->first;
    }
    if (summary.test_sets.size() == 1)
        summary.best = reports::run_figures(details_of(database, *best));
    return summary;
}

// What has to be known beside the best figure.
Cell caveat_of(const ExperimentSummary& summary) {
    if (summary.test_sets.size() > 1)
        return fmt::format("{} test sets: accuracies do not compare", summary.test_sets.size());
    if (!summary.best) return {};
    if (summary.best->run.selected_on_test_set) return std::string("chosen by the test set");
    if (reports::is_at_chance(*summary.best)) return std::string("no better than guessing");
    return {};
}

// One row an experiment, the newest first: how many of its runs are where, and the best one.
Table experiments_table(const storage::RunDatabase& database) {
    Table table{{"experiment", "runs", "finished", "best_test_accuracy", "best_run", "caveat",
                 "title", "file", "created_utc"},
                {}};
    for (const storage::ExperimentRow& experiment : database.experiments()) {
        const ExperimentSummary summary = summary_of(database, experiment.name);
        const auto& best = summary.best;
        table.rows.push_back({experiment.name, summary.runs, summary.finished,
                              best && best->test_accuracy ? Cell(*best->test_accuracy) : Cell(),
                              best ? Cell(best->run.name) : Cell(), caveat_of(summary),
                              experiment.title, experiment.file, experiment.created_utc});
    }
    put_newest_first(table, "created_utc", "created_utc");
    return table;
}

}  // namespace

int ls(const LsOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    if (options.lists_experiments) {
        print_fitting(chosen_rows(experiments_table(database), "experiments", options.rows, {}),
                      options.format,
                      {.may_drop = options.rows.columns.empty(),
                       .kept = {"best_test_accuracy", "best_run", "caveat"}});
        return kExitSuccess;
    }
    SettingsTable runs = runs_with_settings(database, options.experiment);
    add_progress(runs);
    add_accuracy_facts(runs);
    put_newest_first(runs.table, "started_utc", "created_utc");
    const bool is_any_silent = tell_silences(runs.table, storage::RunStore::open(options.store));
    const bool is_for_people = shows_to_people(options.format);
    const std::vector<std::string> differing = reports::differing_settings(runs);
    RowOptions rows = options.rows;
    rows.where = with_tags(rows.where, options.tags);
    const std::vector<std::string> asked = asked_columns(runs, rows);
    auto [shown, facts] = chosen_rows_and(
        runs, "v_runs", rows, usual_columns(runs, is_for_people, is_any_silent, asked, differing),
        kFactsOfRows);
    Fitting fitting{.may_drop = options.rows.columns.empty(),
                    .kept = {"test_accuracy", "test_set"}};
    for (const std::string& column : asked) fitting.kept.push_back(shown_name(runs, column));
    if (is_any_unfinished(facts)) fitting.kept.insert(fitting.kept.end(), {"state", "progress"});
    if (fitting.may_drop && is_for_people) {
        shorten_settings(runs, shown);
        if (auto column = reports::tell_apart(shown, kTellApart)) fitting.kept.push_back(*column);
        shown = reports::with_accuracy_marks(std::move(shown), facts);
    }
    if (fitting.may_drop || place_of(shown, "test_accuracy") < shown.columns.size())
        fitting.notes = reports::accuracy_notes(facts, fitting.may_drop);
    if (shown.rows.empty() && is_for_people) {
        tell_no_rows(runs.table.rows.size());
        return kExitSuccess;
    }
    print_fitting(shown, options.format, fitting);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
