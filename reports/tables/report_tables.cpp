#include "reports/tables/report_tables.hpp"

#include <fmt/format.h>

#include <cmath>
#include <type_traits>
#include <variant>
#include <vector>

#include "reports/tables/optional_cell.hpp"
#include "reports/tables/run_places.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/pair_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

std::string interval_or_dash(const Measured& measured) {
    return measured.interval ? interval_text(*measured.interval) : kNoFigure;
}

Table leaderboard_table(const ExperimentReport& report) {
    Table table{{"architecture", "state", "parameters", "FLOPs per image", "seeds", "test accuracy",
                 "95 % interval", "test loss", "best val. accuracy", "epochs", "time", "images/s",
                 "printed", "covered", "selected on", "test set"},
                {}};
    const TestSetTexts text_of = test_set_texts(report.entries);
    for (const ArchitectureFigures& entry : report.entries) {
        if (table.rows.size() == kTableRows) break;
        const storage::RunRow& run = report.runs[entry.runs.front()].run;
        const bool has_trained = entry.epochs.count > 0 && entry.epochs.mean > 0.0;
        table.rows.push_back(
            {entry.name, entry.state, thousands(run.parameters), flops_text(run.flops_per_image),
             std::int64_t{entry.finished}, mean_text(entry.test_accuracy.estimate),
             interval_or_dash(entry.test_accuracy), mean_text(entry.test_loss),
             mean_text(entry.val_accuracy_best),
             has_trained ? fmt::format("{:.4g}", entry.epochs.mean) : kNoFigure,
             has_trained ? duration_text(entry.seconds.mean) : kNoFigure,
             has_trained ? thousands(std::llround(entry.images_per_second.mean)) : kNoFigure,
             entry.printed ? fmt::format("{} {}", figure_text(entry.printed->printed.value),
                                         entry.printed->printed.metric)
                           : kNoFigure,
             entry.printed ? coverage_text(*entry.printed) : kNoFigure,
             std::string(entry.selected_on_test_set ? "the test set" : ""),
             text_of(entry.test_set)});
    }
    return table;
}

Table pairs_table(const ExperimentReport& report) {
    Table table{{"first", "second", "second - first", "right only first", "right only second",
                 "test", "p", "p after Holm", "selected on the test set", "verdict"},
                {}};
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set) continue;
        const bool is_compared = pair.p_value.has_value();
        table.rows.push_back(
            {pair.first, pair.second, is_compared ? signed_text(pair.difference) : kNoFigure,
             pair.on_images ? Cell(pair.on_images->only_first) : Cell(std::monostate{}),
             pair.on_images ? Cell(pair.on_images->only_second) : Cell(std::monostate{}),
             test_text(pair), is_compared ? p_value_text(*pair.p_value) : kNoFigure,
             is_compared ? p_value_text(*pair.adjusted_p_value) : kNoFigure, selected_text(pair),
             verdict_text(pair)});
    }
    return table;
}

Table states_table(const ExperimentReport& report) {
    Table table{{"run", "state", "epochs", "test accuracy", "time", "cause", "same training as"},
                {}};
    const std::vector<RunPlace> places = run_places(report.runs, report.entries);
    for (const RunFigures& run : report.runs) {
        if (table.rows.size() == kTableRows) break;
        const Cell& same = places[table.rows.size()].same_training_as;
        table.rows.push_back({run.run.run, std::string(storage::to_string(run.run.state)),
                              fmt::format("{} of {}", run.epochs.size(), run.run.epochs),
                              figure_text(run.test_accuracy),
                              run.has_epochs() ? duration_text(run.seconds) : kNoFigure,
                              run.attempts.empty() ? "" : run.attempts.back().cause, same});
    }
    return table;
}

std::string markdown_line(const std::string& text) {
    // A table of one cell makes the text inert in Markdown; its third line holds it.
    const std::string table = table_text({{"x"}, {{text}}}, TableFormat::md);
    const std::size_t begin = table.rfind("\n| ") + 3;
    return table.substr(begin, table.rfind(" |\n") - begin);
}

// What a spreadsheet would compute.
bool looks_like_formula(const std::string& text) {
    return !text.empty() && std::string_view("=+-@\t\r\n").find(text.front()) != std::string::npos;
}

}  // namespace

std::string markdown_report(const ExperimentReport& report) {
    const storage::ExperimentRow& row = report.experiment;
    std::string text = fmt::format("# {}\n\nExperiment {}. Written {} by Lockstep {}.\n\n",
                                   markdown_line(row.title.empty() ? row.name : row.title),
                                   markdown_line(row.name), markdown_line(report.written_utc),
                                   markdown_line(report.lockstep_version));
    std::vector<Section> sections{{"Leaderboard", leaderboard_table(report)}};
    if (!report.pairs.empty()) sections.push_back({"Pairs", pairs_table(report)});
    sections.push_back({"Runs", states_table(report)});
    text += sections_text(sections, TableFormat::md);
    for (const ArchitectureFigures& entry : report.entries) {
        if (!entry.clean) continue;
        text += fmt::format("\n{} was selected on the test set; clean figure: {} ({}).\n",
                            markdown_line(entry.name), figure_text(entry.clean->accuracy),
                            markdown_line(entry.clean->from));
    }
    if (report.runs.size() > kTableRows) {
        text += fmt::format("\nThe first {} of {} runs; report.csv has every run.\n", kTableRows,
                            report.runs.size());
    }
    return text;
}

Table runs_table(const ExperimentReport& report) {
    Table table{{"run",
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
                 "compute_seconds",
                 "exchange_seconds",
                 "data_seconds",
                 "evaluation_seconds",
                 "ranks",
                 "architecture",
                 "test_set",
                 "data_digest",
                 "same_training_as"},
                {}};
    const std::vector<RunPlace> places = run_places(report.runs, report.entries);
    for (const RunFigures& run : report.runs) {
        const storage::RunRow& row = run.run;
        const RunPlace& place = places[table.rows.size()];
        const auto& compared = place.entry->printed;
        const auto printed = printed_figure(row.expected);
        const auto yes_no = [](bool value) { return std::string(value ? "yes" : "no"); };
        table.rows.push_back(
            {row.run,
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
             cell(run.test_loss),
             cell(run.test_count),
             printed ? Cell(printed->metric) : Cell(),
             printed ? Cell(printed->value) : Cell(),
             compared && compared->is_covered ? Cell(yes_no(*compared->is_covered)) : Cell(),
             compared ? Cell(std::string(interval_word(compared->ours))) : Cell(),
             yes_no(row.validates_on_test_set),
             yes_no(row.selected_on_test_set),
             run.seconds,
             run.images_per_second,
             run.time.compute,
             run.time.exchange,
             run.time.data,
             run.time.evaluation,
             std::int64_t{run.ranks},
             place.architecture,
             place.test_set,
             row.data_digest,
             place.same_training_as});
    }
    return table;
}

std::string csv_report(const ExperimentReport& report) {
    Table table = runs_table(report);
    for (auto& row : table.rows) {
        for (Cell& each : row) {
            auto* text = std::get_if<std::string>(&each);
            if (text != nullptr && looks_like_formula(*text)) text->insert(0, 1, '\'');
        }
    }
    return table_text(table, TableFormat::csv);
}

}  // namespace lockstep::reports
