#include "reports/tables/report_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <variant>
#include <vector>

#include "reports/tables/architecture_settings.hpp"
#include "reports/tables/optional_cell.hpp"
#include "reports/tables/run_places.hpp"
#include "reports/tables/sweep_table.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/pair_text.hpp"
#include "reports/words/scope_text.hpp"
#include "reports/words/test_set_text.hpp"
#include "reports/words/verdict_text.hpp"

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
             has_trained ? rate_text(entry.images_per_second.mean, entry.stopped_seconds)
                         : kNoFigure,
             entry.printed ? fmt::format("{} {}", figure_text(entry.printed->printed.value),
                                         entry.printed->printed.metric)
                           : kNoFigure,
             entry.printed ? coverage_text(*entry.printed) : kNoFigure,
             std::string(entry.selected_on_test_set ? "the test set" : ""),
             text_of(entry.test_set)});
    }
    return table;
}

Table pairs_in_words(const ExperimentReport& report) {
    Table table{{"first", "second", "first - second", "right only first", "right only second",
                 "test", "p", "p after Holm", "selected on the test set", "verdict"},
                {}};
    for (const PairComparison& pair : report.pairs) {
        if (!pair.has_one_test_set) continue;
        const auto p = p_value(pair);
        const auto adjusted = adjusted_p_value(pair);
        table.rows.push_back(
            {pair.first, pair.second, p ? signed_text(pair.difference) : kNoFigure,
             pair.on_images ? Cell(pair.on_images->only_first) : Cell(std::monostate{}),
             pair.on_images ? Cell(pair.on_images->only_second) : Cell(std::monostate{}),
             test_text(pair), p ? p_value_text(*p) : kNoFigure,
             adjusted ? p_value_text(*adjusted) : kNoFigure, selected_text(pair),
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

}  // namespace

std::string markdown_report(const ExperimentReport& report) {
    std::string text =
        fmt::format("# {}\n\n{} Written {} by Lockstep {}.\n\n", markdown_line(title_text(report)),
                    markdown_line(scope_text(report)), markdown_line(report.written_utc),
                    markdown_line(report.lockstep_version));
    const Sweep sweep = report_sweep(report);
    for (const Sentences& sentences : verdict_sentences(report, sweep)) {
        text += markdown_line(plain_text(sentences)) + "\n\n";
    }
    std::vector<Section> sections{{"Leaderboard", leaderboard_table(report)}};
    if (compares_networks(sweep)) {
        sections.push_back({"Settings that differ", architecture_settings(report, sweep)});
        Table& settings = sections.back().table;
        settings.rows.resize(std::min(settings.rows.size(), kTableRows));
    }
    const storage::Table effects = effects_in_words(sweep);
    if (!effects.rows.empty()) {
        sections.push_back({"Which setting mattered? Spread of test accuracy", effects});
    }
    const storage::Table pairs = pairs_in_words(report);
    if (!pairs.rows.empty()) sections.push_back({"Pairs", pairs});
    sections.push_back({"Runs", states_table(report)});
    text += sections_text(sections, TableFormat::md);
    for (const ArchitectureFigures& entry : report.entries) {
        if (!entry.clean) continue;
        text += fmt::format("\n{} was selected on the test set; clean figure: {} ({}).\n",
                            markdown_line(entry.name), figure_text(entry.clean->accuracy),
                            markdown_line(entry.clean->from));
    }
    for (const ArchitectureFigures& entry : report.entries) {
        const std::string& views = report.runs[entry.runs.front()].test_views;
        if (views.empty()) continue;
        text += fmt::format("\nTest figures of {} are of several views of each image ({}).\n",
                            markdown_line(entry.name), markdown_line(views));
    }
    if (report.runs.size() > kTableRows) {
        text += fmt::format("\nThe first {} of {} runs; report.csv has every run.\n", kTableRows,
                            report.runs.size());
    }
    return text;
}

}  // namespace lockstep::reports
