#include "pipeline/verbs/diff.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/diff_architectures.hpp"
#include "pipeline/verbs/diff_tables.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/design.hpp"
#include "reports/figures/figure_difference.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunFigures;
using storage::Cell;
using storage::Table;

std::vector<RunFigures> runs_called(const storage::RunDatabase& database, const std::string& text) {
    return figures_of(database, matching_runs(database, {text}));
}

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

std::vector<RunFigures> with_run(std::vector<RunFigures> seeds, const RunFigures& run) {
    seeds.insert(seeds.begin(), run);
    return seeds;
}

int diff_runs(const storage::RunDatabase& database, const DiffOptions& options,
              const RunFigures& first, const RunFigures& second) {
    const Table settings = settings_table(all_differences(first, second));
    const bool is_one_design = first.design == second.design;
    const std::vector<RunFigures> first_seeds = seeds_of(database, first);
    const std::vector<RunFigures> second_seeds =
        is_one_design ? std::vector<RunFigures>() : seeds_of(database, second);
    const Table figures =
        figures_table(reports::figure_differences(first, second, first_seeds, second_seeds));
    if (options.format == reports::TableFormat::csv) {
        print(reports::table_text(one_table(settings, figures), options.format));
    } else if (shows_to_people(options.format)) {
        print_for_people(runs_table(first, second), settings, figures, options.format);
        if (is_one_design) return kExitSuccess;
        const std::string sentence =
            sentence_on(database, {with_run(first_seeds, first), with_run(second_seeds, second)});
        if (!sentence.empty()) print('\n' + sentence);
    } else {
        print(reports::sections_text(
            {{"runs", runs_table(first, second)}, {"settings", settings}, {"figures", figures}},
            options.format));
    }
    return kExitSuccess;
}

}  // namespace

int diff(const DiffOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    const Sides sides{runs_called(database, options.first), runs_called(database, options.second)};
    if (sides[0].size() > 1 || sides[1].size() > 1)
        return diff_architectures(database, options, sides);
    return diff_runs(database, options, sides[0].front(), sides[1].front());
}

}  // namespace lockstep::pipeline
