#include "reports/tables/compared_tables.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/printed_figure.hpp"
#include "reports/tables/accuracy_notes.hpp"
#include "reports/tables/optional_cell.hpp"
#include "reports/tables/run_places.hpp"
#include "reports/words/pair_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;

Cell word_if(bool is_so, std::string_view word) {
    return is_so ? Cell(std::string(word)) : Cell(std::monostate{});
}

Cell mean(const Estimate& estimate) {
    return estimate.count > 0 ? Cell(estimate.mean) : Cell(std::monostate{});
}

Cell low(const std::optional<Interval>& interval) {
    return interval ? Cell(interval->low) : Cell(std::monostate{});
}

Cell high(const std::optional<Interval>& interval) {
    return interval ? Cell(interval->high) : Cell(std::monostate{});
}

Cell kind_of(const Measured& measured) {
    return measured.interval ? Cell(std::string(interval_word(measured))) : Cell(std::monostate{});
}

// Which interval of ours the printed figure was set against.
Cell printed_against(const std::optional<PrintedComparison>& printed) {
    if (!printed || printed->ours.estimate.count == 0) return std::monostate{};
    return std::string(interval_word(printed->ours));
}

Cell covers_printed(const std::optional<PrintedComparison>& printed) {
    if (!printed || !printed->is_covered) return std::monostate{};
    return std::string(*printed->is_covered ? "yes" : "no");
}

std::string seeds_of(const std::vector<RunFigures>& runs, const ArchitectureFigures& entry) {
    std::vector<std::int64_t> seeds;
    for (const std::size_t i : entry.runs) seeds.push_back(runs[i].run.seed);
    return fmt::format("{}", fmt::join(seeds, " "));
}

// Ids of runs that are not counted, since they are the training of one that is.
Cell not_counted(const std::vector<RunFigures>& runs, const ArchitectureFigures& entry) {
    std::vector<std::string> ids;
    for (const RepeatedRun& repeat : entry.repeats) ids.push_back(runs[repeat.run].run.run);
    return ids.empty() ? Cell(std::monostate{}) : Cell(fmt::format("{}", fmt::join(ids, " ")));
}

}  // namespace

storage::Table compared_runs(const std::vector<RunFigures>& runs) {
    storage::Table table;
    table.columns = {"name",
                     "seed",
                     "state",
                     "parameters",
                     "epochs",
                     "val_loss",
                     "val_accuracy",
                     "best_val_accuracy",
                     "best_epoch",
                     "test_loss",
                     "test_accuracy",
                     "test_accuracy_low",
                     "test_accuracy_high",
                     "test_top_5_accuracy",
                     "printed_accuracy",
                     "printed_metric",
                     "run_seconds",
                     "images_per_second",
                     "stopped_seconds",
                     "selected_on",
                     "architecture",
                     "test_set",
                     "same_training_as",
                     "experiment",
                     "run"};
    const std::vector<ArchitectureFigures> entries = leaderboard(runs);
    const std::vector<RunPlace> places = run_places(runs, entries);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const RunFigures& run = runs[i];
        const auto printed = printed_figure(run.run.expected);
        const bool has_validation = run.val_accuracy.best.has_value();
        const Cell none;
        table.rows.push_back({run.run.name,
                              run.run.seed,
                              std::string(storage::to_string(run.run.state)),
                              run.run.parameters,
                              static_cast<std::int64_t>(run.epochs.size()),
                              cell(run.val_loss.final),
                              cell(run.val_accuracy.final),
                              cell(run.val_accuracy.best),
                              has_validation ? cell(run.best_epoch) : none,
                              cell(run.test_loss),
                              cell(run.test_accuracy),
                              low(run.test_interval),
                              high(run.test_interval),
                              cell(run.test_top_5_accuracy),
                              printed ? Cell(printed->value) : none,
                              printed ? Cell(printed->metric) : none,
                              run.has_epochs() ? Cell(run.seconds) : none,
                              run.has_epochs() ? Cell(run.images_per_second) : none,
                              run.stopped_seconds > 0 ? Cell(run.stopped_seconds) : none,
                              word_if(run.run.selected_on_test_set, kSelectedOnTestSet),
                              places[i].architecture,
                              places[i].test_set,
                              places[i].same_training_as,
                              run.run.experiment,
                              run.run.run});
    }
    return table;
}

storage::Table compared_architectures(const std::vector<RunFigures>& runs) {
    storage::Table table;
    table.columns = {"architecture",
                     "seeds",
                     "state",
                     "parameters",
                     "epochs",
                     "val_accuracy",
                     "best_val_accuracy",
                     "test_loss",
                     "test_accuracy",
                     "test_accuracy_low",
                     "test_accuracy_high",
                     "test_top_5_accuracy",
                     "interval",
                     "printed_accuracy",
                     "printed_metric",
                     "covers_printed",
                     "printed_against",
                     "run_seconds",
                     "images_per_second",
                     "stopped_seconds",
                     "selected_on",
                     "test_set",
                     "not_counted"};
    const std::vector<ArchitectureFigures> entries = leaderboard(runs);
    const TestSetTexts text_of = test_set_texts(entries);
    for (const ArchitectureFigures& entry : entries) {
        const auto& printed = entry.printed;
        const Cell none;
        table.rows.push_back({entry.name,
                              seeds_of(runs, entry),
                              entry.state,
                              runs[entry.runs.front()].run.parameters,
                              mean(entry.epochs),
                              mean(entry.val_accuracy_final),
                              mean(entry.val_accuracy_best),
                              mean(entry.test_loss),
                              mean(entry.test_accuracy.estimate),
                              low(entry.test_accuracy.interval),
                              high(entry.test_accuracy.interval),
                              mean(entry.test_top_5_accuracy),
                              kind_of(entry.test_accuracy),
                              printed ? Cell(printed->printed.value) : none,
                              printed ? Cell(printed->printed.metric) : none,
                              covers_printed(printed),
                              printed_against(printed),
                              mean(entry.seconds),
                              mean(entry.images_per_second),
                              entry.stopped_seconds > 0 ? Cell(entry.stopped_seconds) : none,
                              word_if(entry.selected_on_test_set, kSelectedOnTestSet),
                              text_of(entry.test_set),
                              not_counted(runs, entry)});
    }
    return table;
}

storage::Table results_table(const std::vector<RunFigures>& runs) {
    storage::Table table{{"name", "state", "parameters", "epochs", "best_val_accuracy",
                          "test_accuracy", "source_figure", "run_seconds", "images_per_second"},
                         {}};
    for (const RunFigures& run : runs) {
        const auto printed = printed_figure(run.run.expected);
        const Cell none;
        table.rows.push_back(
            {run.run.name + (run.run.selected_on_test_set ? " *" : ""),
             std::string(storage::to_string(run.run.state)), run.run.parameters,
             static_cast<std::int64_t>(run.epochs.size()), cell(run.val_accuracy.best),
             cell(run.test_accuracy),
             printed ? Cell(fmt::format("{:.4f} {}", printed->value, printed->metric)) : none,
             run.has_epochs() ? Cell(run.seconds) : none,
             run.has_epochs() ? Cell(run.images_per_second) : none});
    }
    return table;
}

}  // namespace lockstep::reports
