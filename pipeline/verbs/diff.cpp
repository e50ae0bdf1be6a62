#include "pipeline/verbs/diff.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/design.hpp"
#include "reports/figures/run_difference.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/table_text.hpp"

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

double rounded(double value, int digits) {
    const double scale = std::pow(10.0, digits);
    return std::isfinite(value) ? std::round(value * scale) / scale : value;
}

// As many digits as tell something.
int digits_of(const std::string& figure) {
    if (figure == "images_per_second" || figure == "epochs") return 0;
    return figure == "run_seconds" ? 1 : 4;
}

// The figures as people read them. In first, second, difference, seed_noise, p, p_after_holm.
Table rounded_figures(Table table) {
    constexpr std::size_t kFirstNumber = 1, kFirstProbability = 5;
    for (auto& row : table.rows) {
        const int digits = digits_of(std::get<std::string>(row[0]));
        for (std::size_t i = kFirstNumber; i < row.size(); ++i)
            if (auto* value = std::get_if<double>(&row[i]))
                *value = rounded(*value, i < kFirstProbability ? digits : 4);
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
                          {{"figures", rounded_figures(figures)},
                           {"first", "second", "difference", "movement", "selected_on_test_set"}}},
                         format);
    print(shown.text);
    tell_left_out(shown.left_out, "--format csv has every one");
}

}  // namespace

int diff(const DiffOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const auto figures_of = [&](const std::string& text) {
        return reports::run_figures(database.run_details(the_run(database, text).run));
    };
    const RunFigures first = figures_of(options.first);
    const RunFigures second = figures_of(options.second);
    const Table settings = settings_table(all_differences(first, second));
    const bool is_one_design = first.design == second.design;
    const Table figures = figures_table(reports::figure_differences(
        first, second, seeds_of(database, first),
        is_one_design ? std::vector<RunFigures>() : seeds_of(database, second)));
    if (options.format == reports::TableFormat::csv) {
        print(reports::table_text(one_table(settings, figures), options.format));
    } else if (shows_to_people(options.format)) {
        print_for_people(runs_table(first, second), settings, figures, options.format);
    } else {
        print(reports::sections_text(
            {{"runs", runs_table(first, second)}, {"settings", settings}, {"figures", figures}},
            options.format));
    }
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
