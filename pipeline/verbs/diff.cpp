#include "pipeline/verbs/diff.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/architecture_verdict.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/design.hpp"
#include "reports/figures/experiment_report.hpp"
#include "reports/figures/run_difference.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/verdict_text.hpp"

namespace lockstep::pipeline {
namespace {

using reports::FigureDifference;
using reports::RunFigures;
using reports::SettingDifference;
using storage::Cell;
using storage::Table;

// Whether a stored run is one more seed of a design that `run` and `seeds` are of.
bool is_another_seed(const storage::RunRow& row, const RunFigures& run,
                     const std::vector<RunFigures>& seeds) {
    // One seed with two config digests: not of one design, whatever an old row says.
    if (row.seed == run.run.seed && !reports::is_same_training(row, run.run)) return false;
    return std::ranges::none_of(seeds, [&](const RunFigures& seed) {
        return seed.run.seed == row.seed || reports::is_same_training(row, seed.run);
    });
}

// The finished runs of the store that are the same design, each training once.
std::vector<RunFigures> seeds_of(const storage::RunDatabase& database, const RunFigures& run) {
    std::vector<RunFigures> seeds;
    for (const storage::RunRow& row : database.runs()) {  // oldest first
        const bool may_be = row.state == storage::RunState::finished &&
                            row.architecture == run.run.architecture &&
                            row.data_digest == run.run.data_digest;
        if (!may_be || reports::design_of(row) != run.design) continue;
        if (!is_another_seed(row, run, seeds)) continue;
        seeds.push_back(reports::run_figures(database.run_details(row.run)));
    }
    return seeds;
}

Cell text_or_none(const std::string& text) {
    return text.empty() ? Cell(std::monostate{}) : Cell(text);
}

Cell cell(const std::optional<double>& value) {
    return value ? Cell(*value) : Cell(std::monostate{});
}

Cell moved_by(const FigureDifference& figure) {
    const bool is_comparable = figure.movement != reports::Movement::not_comparable;
    if (!figure.first || !figure.second || !is_comparable) return std::monostate{};
    return *figure.second - *figure.first;
}

// The sides that a figure of the test set flatters.
Cell selected_on_test_set(const FigureDifference& figure) {
    if (figure.is_first_selected && figure.is_second_selected) return std::string("both");
    if (figure.is_first_selected) return std::string("first");
    return figure.is_second_selected ? Cell(std::string("second")) : Cell(std::monostate{});
}

Table runs_table(const RunFigures& first, const RunFigures& second) {
    Table table{{"which", "run", "experiment", "seed", "state", "parent_run", "same_training_as"},
                {}};
    const bool are_one = reports::is_same_training(first.run, second.run);
    const auto add = [&](const char* which, const storage::RunRow& row,
                         const storage::RunRow& other) {
        table.rows.push_back({std::string(which), row.run, row.experiment, row.seed,
                              std::string(storage::to_string(row.state)),
                              text_or_none(row.parent_run),
                              are_one ? Cell(other.run) : Cell(std::monostate{})});
    };
    add("first", first.run, second.run);
    add("second", second.run, first.run);
    return table;
}

// The settings as they are written, and the content of what they only point to.
std::vector<SettingDifference> all_differences(const RunFigures& first, const RunFigures& second) {
    auto differences = reports::setting_differences(first.config, second.config);
    const auto add = [&](const char* key, const std::string& a, const std::string& b) {
        if (a != b) differences.push_back({key, a, b});
    };
    add("data_digest", first.run.data_digest, second.run.data_digest);
    add("initial_weights_sha256", first.run.initial_weights_sha256,
        second.run.initial_weights_sha256);
    return differences;
}

Table settings_table(const std::vector<SettingDifference>& differences) {
    Table table{{"key", "first", "second"}, {}};
    for (const SettingDifference& each : differences) {
        table.rows.push_back({each.key, text_or_none(each.first), text_or_none(each.second)});
    }
    return table;
}

Table figures_table(const std::vector<FigureDifference>& differences) {
    Table table{{"figure", "first", "second", "difference", "seed_noise", "p", "p_after_holm",
                 "movement", "selected_on_test_set"},
                {}};
    for (const FigureDifference& each : differences) {
        table.rows.push_back({each.figure, cell(each.first), cell(each.second), moved_by(each),
                              cell(each.seed_noise), cell(each.p_value),
                              cell(each.adjusted_p_value), std::string(to_string(each.movement)),
                              selected_on_test_set(each)});
    }
    return table;
}

// The figures as people read them: each row's as a column of its name would be.
Table readable_figures(Table table) {
    for (auto& row : table.rows) {
        const std::string figure = std::get<std::string>(row[0]);
        for (std::size_t i = 1; i < row.size(); ++i) {
            const auto* value = std::get_if<double>(&row[i]);
            if (value == nullptr) continue;
            const bool is_probability = table.columns[i].starts_with("p");
            row[i] =
                is_probability ? fmt::format("{:.4f}", *value) : reports::cell_text(figure, row[i]);
        }
    }
    return table;
}

// CSV has room for one table: settings and figures below each other.
Table one_table(const Table& settings, const Table& figures) {
    Table table{{"kind", "key", "first", "second", "difference", "seed_noise", "p", "p_after_holm",
                 "movement", "selected_on_test_set"},
                {}};
    for (const auto& row : settings.rows) {
        table.rows.push_back(
            {std::string("setting"), row[0], row[1], row[2], {}, {}, {}, {}, {}, {}});
    }
    for (const auto& row : figures.rows) {
        table.rows.push_back({std::string("figure"), row[0], row[1], row[2], row[3], row[4], row[5],
                              row[6], row[7], row[8]});
    }
    return table;
}

// On a terminal the verdict stays, and what it is about.
void print_for_people(const Table& runs, const Table& settings, const Table& figures,
                      reports::TableFormat format) {
    const FittedText shown =
        fitting_sections({{{"runs", runs}, {"run", "experiment", "seed", "state"}},
                          {{"settings", settings}, {"first", "second"}},
                          {{"figures", readable_figures(figures)},
                           {"first", "second", "difference", "movement", "selected_on_test_set"}}},
                         format);
    print(shown.text);
    tell_left_out(shown.left_out, "--format csv has every one");
}

// ---- several seeds of an architecture ----------------------------------------------------------

std::vector<RunFigures> runs_called(const storage::RunDatabase& database, const std::string& text) {
    std::vector<RunFigures> runs;
    for (const std::string& run : matching_runs(database, {text}))
        runs.push_back(reports::run_figures(details_of(database, run)));
    return runs;
}

// Throws UsageError where the runs are of several architectures.
reports::ArchitectureFigures the_architecture(const std::vector<RunFigures>& runs,
                                              const std::string& text) {
    std::vector<reports::ArchitectureFigures> entries = reports::leaderboard(runs);
    if (entries.size() == 1) return std::move(entries.front());
    std::string names;
    for (const auto& entry : entries) names += (names.empty() ? "" : ", ") + entry.name;
    throw UsageError(fmt::format("\"{}\" may mean several architectures: {}", text, names));
}

// The place of the entry that has the run.
std::size_t entry_of(const reports::ExperimentReport& report, const std::string& run) {
    const auto has_it = [&](const reports::ArchitectureFigures& entry) {
        return std::ranges::any_of(entry.runs,
                                   [&](std::size_t i) { return report.runs[i].run.run == run; });
    };
    return static_cast<std::size_t>(std::ranges::find_if(report.entries, has_it) -
                                    report.entries.begin());
}

// "wide is better than deep ...", of the architectures that both runs are of; "" of one.
std::string sentence_on(const storage::RunDatabase& database, const RunFigures& first,
                        const RunFigures& second) {
    std::vector<RunFigures> runs;
    std::set<std::string> known;
    for (const std::string& experiment : {first.run.experiment, second.run.experiment}) {
        for (const storage::RunRow& row : database.runs(experiment)) {
            if (known.insert(row.run).second)
                runs.push_back(reports::run_figures(details_of(database, row.run)));
        }
    }
    const reports::ExperimentReport report = reports::make_comparison(runs, {});
    const std::size_t a = entry_of(report, first.run.run), b = entry_of(report, second.run.run);
    if (a == b || a == report.entries.size() || b == report.entries.size()) return {};
    return terminal_lines(printable(reports::pair_sentence(report, a, b)));
}

Table architectures_table(const std::vector<std::vector<RunFigures>>& sides,
                          const std::vector<reports::ArchitectureFigures>& entries) {
    Table table{{"which", "architecture", "seeds", "state"}, {}};
    for (std::size_t i = 0; i < entries.size(); ++i) {
        std::vector<std::int64_t> seeds;
        for (const std::size_t run : entries[i].runs) seeds.push_back(sides[i][run].run.seed);
        table.rows.push_back({std::string(i == 0 ? "first" : "second"), entries[i].name,
                              fmt::format("{}", fmt::join(seeds, " ")), entries[i].state});
    }
    return table;
}

// Means over the seeds.
Table means_table(const reports::ArchitectureFigures& first,
                  const reports::ArchitectureFigures& second) {
    Table table{{"figure", "first", "second", "difference"}, {}};
    const bool is_one_set = first.test_set == second.test_set;
    const auto add = [&](const char* figure, const reports::Estimate& a, const reports::Estimate& b,
                         bool is_comparable = true) {
        if (a.count == 0 && b.count == 0) return;
        const auto mean = [](const reports::Estimate& estimate) {
            return estimate.count > 0 ? Cell(estimate.mean) : Cell();
        };
        const bool are_both = is_comparable && a.count > 0 && b.count > 0;
        table.rows.push_back(
            {std::string(figure), mean(a), mean(b), are_both ? Cell(b.mean - a.mean) : Cell()});
    };
    add("test_accuracy", first.test_accuracy.estimate, second.test_accuracy.estimate, is_one_set);
    add("test_loss", first.test_loss, second.test_loss, is_one_set);
    add("best_val_accuracy", first.val_accuracy_best, second.val_accuracy_best, is_one_set);
    add("val_loss", first.val_loss_final, second.val_loss_final, is_one_set);
    add("accuracy", first.accuracy_final, second.accuracy_final);
    add("loss", first.loss_final, second.loss_final);
    add("epochs", first.epochs, second.epochs);
    add("run_seconds", first.seconds, second.seconds);
    add("images_per_second", first.images_per_second, second.images_per_second);
    return table;
}

int diff_architectures(const storage::RunDatabase& database, const DiffOptions& options,
                       const std::vector<std::vector<RunFigures>>& sides) {
    const std::vector entries{the_architecture(sides[0], options.first),
                              the_architecture(sides[1], options.second)};
    const RunFigures& first = sides[0][entries[0].runs.front()];
    const RunFigures& second = sides[1][entries[1].runs.front()];
    auto differences = all_differences(first, second);
    std::erase_if(differences, [](const SettingDifference& each) {
        return each.key == "train.seed" || each.key == "name";
    });
    const Table settings = settings_table(differences);
    const Table figures = means_table(entries[0], entries[1]);
    const std::vector<reports::Section> sections{
        {"architectures", architectures_table(sides, entries)},
        {"settings", settings},
        {"figures", figures}};
    if (options.format == reports::TableFormat::csv) {
        Table table{{"kind", "key", "first", "second", "difference"}, {}};
        for (const auto& row : settings.rows)
            table.rows.push_back({std::string("setting"), row[0], row[1], row[2], {}});
        for (const auto& row : figures.rows)
            table.rows.push_back({std::string("figure"), row[0], row[1], row[2], row[3]});
        print(reports::table_text(table, options.format));
    } else if (shows_to_people(options.format)) {
        const FittedText shown =
            fitting_sections({{sections[0], {"architecture"}},
                              {sections[1], {"first", "second"}},
                              {{"figures", readable_figures(figures)}, {"first", "second"}}},
                             options.format);
        print(shown.text + '\n' + sentence_on(database, first, second));
    } else {
        print(reports::sections_text(sections, options.format));
    }
    return kExitSuccess;
}

}  // namespace

int diff(const DiffOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const std::vector sides{runs_called(database, options.first),
                            runs_called(database, options.second)};
    if (sides[0].size() > 1 || sides[1].size() > 1)
        return diff_architectures(database, options, sides);
    const RunFigures& first = sides[0].front();
    const RunFigures& second = sides[1].front();
    const Table settings = settings_table(all_differences(first, second));
    const bool is_one_design = first.design == second.design;
    const Table figures = figures_table(reports::figure_differences(
        first, second, seeds_of(database, first),
        is_one_design ? std::vector<RunFigures>() : seeds_of(database, second)));
    if (options.format == reports::TableFormat::csv) {
        print(reports::table_text(one_table(settings, figures), options.format));
    } else if (shows_to_people(options.format)) {
        print_for_people(runs_table(first, second), settings, figures, options.format);
        const std::string sentence = is_one_design ? "" : sentence_on(database, first, second);
        if (!sentence.empty()) print('\n' + sentence);
    } else {
        print(reports::sections_text(
            {{"runs", runs_table(first, second)}, {"settings", settings}, {"figures", figures}},
            options.format));
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
