#include "reports/tables/report_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "reports/tables/optional_cell.hpp"
#include "reports/tables/run_places.hpp"
#include "reports/tables/setting_columns.hpp"
#include "reports/tables/table_stream.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/pair_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr std::array<const char*, 47> kRunColumns{"run",
                                                  "name",
                                                  "seed",
                                                  "state",
                                                  "source",
                                                  "dataset",
                                                  "optimizer",
                                                  "batch_size",
                                                  "parameters",
                                                  "flops_per_image",
                                                  "epochs",
                                                  "epochs_planned",
                                                  "best_epoch",
                                                  "accuracy",
                                                  "loss",
                                                  "best_val_accuracy",
                                                  "val_accuracy",
                                                  "best_val_loss",
                                                  "val_loss",
                                                  "test_accuracy",
                                                  "test_accuracy_low",
                                                  "test_accuracy_high",
                                                  "test_top_5_accuracy",
                                                  "test_loss",
                                                  "test_count",
                                                  "printed_metric",
                                                  "printed_value",
                                                  "printed_covered",
                                                  "printed_against",
                                                  "validates_on_test_set",
                                                  "selected_on_test_set",
                                                  "run_seconds",
                                                  "images_per_second",
                                                  "stopped_seconds",
                                                  "compute_seconds",
                                                  "exchange_seconds",
                                                  "data_seconds",
                                                  "evaluation_seconds",
                                                  "ranks",
                                                  "architecture",
                                                  "test_set",
                                                  "data_digest",
                                                  "same_training_as",
                                                  "experiment",
                                                  "parent_run",
                                                  "tags",
                                                  "notes"};

Cell yes_no(bool value) { return std::string(value ? "yes" : "no"); }

Cell text_or_none(const std::string& text) { return text.empty() ? Cell() : Cell(text); }

std::vector<Cell> cells_of(const RunFigures& run, const RunPlace& place) {
    const storage::RunRow& row = run.run;
    const auto printed = printed_figure(row.expected);
    const auto& compared = place.entry->printed;
    return {row.run,
            row.name,
            row.seed,
            std::string(storage::to_string(row.state)),
            row.source,
            row.dataset,
            row.optimizer,
            std::int64_t{row.batch_size},
            row.parameters,
            row.flops_per_image,
            static_cast<std::int64_t>(run.epochs.size()),
            std::int64_t{row.epochs},
            cell(run.best_epoch),
            cell(run.accuracy.final),
            cell(run.loss.final),
            cell(run.val_accuracy.best),
            cell(run.val_accuracy.final),
            cell(run.val_loss.best),
            cell(run.val_loss.final),
            cell(run.test_accuracy),
            run.test_interval ? Cell(run.test_interval->low) : Cell(),
            run.test_interval ? Cell(run.test_interval->high) : Cell(),
            cell(run.test_top_5_accuracy),
            cell(run.test_loss),
            cell(run.test_count),
            printed ? Cell(printed->metric) : Cell(),
            printed ? Cell(printed->value) : Cell(),
            compared && compared->is_covered ? yes_no(*compared->is_covered) : Cell(),
            compared ? Cell(std::string(interval_word(compared->ours))) : Cell(),
            yes_no(row.validates_on_test_set),
            yes_no(row.selected_on_test_set),
            run.seconds,
            run.images_per_second,
            run.stopped_seconds,
            run.time.compute,
            run.time.exchange,
            run.time.data,
            run.time.evaluation,
            std::int64_t{run.ranks},
            place.architecture,
            place.test_set,
            row.data_digest,
            place.same_training_as,
            row.experiment,
            text_or_none(row.parent_run),
            text_or_none(fmt::format("{}", fmt::join(run.tags, " "))),
            text_or_none(row.notes)};
}

std::vector<Cell> seed_cells(const PairComparison& pair) {
    const bool are_tested = pair.first_seeds > 0 && pair.second_seeds > 0;
    return {are_tested ? Cell(pair.difference) : Cell(), std::int64_t{pair.first_seeds},
            std::int64_t{pair.second_seeds},
            pair.test ? Cell(pair.test->welch.interval.low) : Cell(),
            pair.test ? Cell(pair.test->welch.interval.high) : Cell()};
}

std::vector<Cell> image_cells(const PairComparison& pair) {
    if (!pair.on_images) return {Cell(), Cell()};
    return {pair.on_images->only_first, pair.on_images->only_second};
}

std::string inert_csv(Table table) {
    return table_text(without_formulas(std::move(table)), TableFormat::csv);
}

}  // namespace

Table runs_table(const ExperimentReport& report) {
    Table table{{kRunColumns.begin(), kRunColumns.end()}, {}};
    const std::vector<RunPlace> places = run_places(report.runs, report.entries);
    std::vector<std::vector<RunSetting>> settings;
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
        table.rows.push_back(cells_of(report.runs[i], places[i]));
        settings.push_back(run_settings(report.runs[i].run.effective_config));
    }
    return with_settings(std::move(table), settings).table;
}

Table pairs_table(const ExperimentReport& report) {
    Table table{{"first", "second", "difference", "first_seeds", "second_seeds", "difference_low",
                 "difference_high", "right_only_first", "right_only_second", "test", "p",
                 "p_after_holm", "selected_on_test_set", "verdict"},
                {}};
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set) continue;
        std::vector<Cell> row{pair.first, pair.second};
        for (const auto& cells : {seed_cells(pair), image_cells(pair)}) {
            row.insert(row.end(), cells.begin(), cells.end());
        }
        const Cell tail[] = {test_text(pair), cell(p_value(pair)), cell(adjusted_p_value(pair)),
                             selected_text(pair), verdict_text(pair)};
        row.insert(row.end(), std::begin(tail), std::end(tail));
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string csv_report(const ExperimentReport& report) { return inert_csv(runs_table(report)); }

std::string pairs_csv(const ExperimentReport& report) { return inert_csv(pairs_table(report)); }

}  // namespace lockstep::reports
