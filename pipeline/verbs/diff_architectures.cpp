#include "pipeline/verbs/diff_architectures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/progress/terminal_lines.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/architecture_verdict.hpp"
#include "pipeline/store/reported_runs.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/diff_tables.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/figures/experiment_report.hpp"
#include "reports/tables/table_text.hpp"
#include "reports/words/verdict_text.hpp"

namespace lockstep::pipeline {
namespace {

using reports::RunFigures;
using storage::Table;

// Throws UsageError where the runs are of several architectures.
reports::ArchitectureFigures the_architecture(const std::vector<RunFigures>& runs,
                                              const std::string& text) {
    std::vector<reports::ArchitectureFigures> entries = reports::leaderboard(runs);
    if (entries.size() == 1) return std::move(entries.front());
    std::string names;
    for (const auto& entry : entries) names += (names.empty() ? "" : ", ") + entry.name;
    throw UsageError(fmt::format("\"{}\" may mean several architectures: {}", text, names));
}

// The place of the entry that has the run, or counts another id of its training.
std::size_t entry_of(const reports::ExperimentReport& report, const std::string& run) {
    const auto has_it = [&](const reports::ArchitectureFigures& entry) {
        const auto is_it = [&](std::size_t i) { return report.runs[i].run.run == run; };
        return std::ranges::any_of(entry.runs, is_it) ||
               std::ranges::any_of(entry.repeats, is_it, &reports::RepeatedRun::run);
    };
    return static_cast<std::size_t>(std::ranges::find_if(report.entries, has_it) -
                                    report.entries.begin());
}

Table architectures_table(const Sides& sides,
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

std::vector<RunFigures> counted(const std::vector<RunFigures>& runs,
                                const reports::ArchitectureFigures& entry) {
    std::vector<RunFigures> counted;
    for (const std::size_t run : reports::counted_runs(runs, entry)) counted.push_back(runs[run]);
    return counted;
}

void print_for_people(const std::vector<reports::Section>& sections, reports::TableFormat format,
                      const std::string& sentence) {
    const FittedText shown =
        fitting_sections({{sections[0], {"architecture"}},
                          {sections[1], {"first", "second"}},
                          {{sections[2].title, readable_figures(sections[2].table)},
                           {"first", "second", "movement", "selected_on_test_set"}}},
                         format);
    print(shown.text + '\n' + sentence);
}

}  // namespace

int diff_architectures(const storage::RunDatabase& database, const DiffOptions& options,
                       const Sides& sides) {
    const std::vector entries{the_architecture(sides[0], options.first),
                              the_architecture(sides[1], options.second)};
    auto differences =
        all_differences(sides[0][entries[0].runs.front()], sides[1][entries[1].runs.front()]);
    std::erase_if(differences, [](const reports::SettingDifference& each) {
        return each.key == "train.seed" || each.key == "name";
    });
    const std::vector<reports::Section> sections{
        {"architectures", architectures_table(sides, entries)},
        {"settings", settings_table(differences)},
        {"figures", means_table(reports::mean_differences(counted(sides[0], entries[0]),
                                                          counted(sides[1], entries[1])))}};
    if (options.format == reports::TableFormat::csv)
        print(reports::table_text(one_table(sections[1].table, sections[2].table), options.format));
    else if (shows_to_people(options.format))
        print_for_people(sections, options.format, sentence_on(database, sides));
    else
        print(reports::sections_text(sections, options.format));
    return kExitSuccess;
}

std::string sentence_on(const storage::RunDatabase& database, const Sides& sides) {
    std::vector<std::string> asked;
    for (const std::vector<RunFigures>& side : sides) {
        for (const RunFigures& run : side)
            if (std::ranges::find(asked, run.run.run) == asked.end()) asked.push_back(run.run.run);
    }
    const std::vector<std::string> beside = reported_runs(database, asked, asked).beside;
    asked.insert(asked.end(), beside.begin(), beside.end());
    const reports::ExperimentReport report =
        reports::make_comparison(figures_of(database, asked), {});
    const std::size_t a = entry_of(report, sides[0].front().run.run);
    const std::size_t b = entry_of(report, sides[1].front().run.run);
    if (a == b || a == report.entries.size() || b == report.entries.size()) return {};
    return terminal_lines(printable(reports::pair_sentence(report, a, b)));
}

}  // namespace lockstep::pipeline
