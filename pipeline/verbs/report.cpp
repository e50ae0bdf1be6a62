#include "pipeline/verbs/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "liveness/fault_point.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/architecture_verdict.hpp"
#include "pipeline/store/report_source.hpp"
#include "pipeline/store/reported_runs.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_report.hpp"
#include "reports/tables/report_csv.hpp"
#include "reports/tables/report_tables.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFolder = 120;  // file systems take 255

// Those that are named, each once; the only experiment of a store need not be named.
std::vector<storage::ExperimentRow> chosen(const storage::RunDatabase& database,
                                           const ReportOptions& options) {
    std::vector<storage::ExperimentRow> all = database.experiments();
    if (options.experiments.empty()) {
        if (all.size() == 1) return all;
        throw UsageError(fmt::format("which experiment? The store has: {}", list_of(all)));
    }
    std::vector<storage::ExperimentRow> rows;
    for (const std::string& name : options.experiments) {
        const auto found = std::ranges::find(all, name, &storage::ExperimentRow::name);
        if (found == all.end()) throw no_such_experiment(all, name);
        const bool is_new =
            std::ranges::find(rows, name, &storage::ExperimentRow::name) == rows.end();
        if (is_new) rows.push_back(*found);
    }
    return rows;
}

// Runs for which the condition holds. Over several experiments it is asked of all runs of the
// store, so that a setting that only some of them have is known for all.
std::set<std::string> matching(const storage::RunDatabase& database,
                               const std::vector<storage::ExperimentRow>& experiments,
                               const std::string& where) {
    const reports::SettingsTable runs =
        runs_with_settings(database, experiments.size() == 1 ? experiments.front().name : "");
    const std::string_view column = "run";
    const storage::Table rows = chosen_rows(runs, "v_runs", {where, {}, {}, {}}, {&column, 1});
    const std::vector<std::string> ids = texts_of(rows, column);
    return {ids.begin(), ids.end()};
}

// The runs in the lists of the experiments: experiment by experiment, in the order they were made,
// each once.
std::vector<std::string> listed_runs(const storage::RunDatabase& database,
                                     const std::vector<storage::ExperimentRow>& experiments) {
    std::vector<std::string> runs;
    std::set<std::string> known;
    for (const storage::ExperimentRow& experiment : experiments) {
        for (const storage::RunRow& row : database.runs(experiment.name))
            if (known.insert(row.run).second) runs.push_back(row.run);
    }
    return runs;
}

struct ChosenRuns {
    reports::ReportedRuns runs;  // in the order of listed_runs()
    reports::ReportScope scope;
};

ChosenRuns chosen_runs(const storage::RunDatabase& database,
                       const std::vector<storage::ExperimentRow>& experiments,
                       const std::string& where) {
    ChosenRuns chosen{{}, {{experiments.begin() + 1, experiments.end()}, where, 0}};
    std::optional<std::set<std::string>> wanted;
    if (!where.empty()) wanted = matching(database, experiments, where);
    const std::vector<std::string> all = listed_runs(database, experiments);
    std::vector<std::string> shown;
    std::ranges::copy_if(all, std::back_inserter(shown),
                         [&](const std::string& run) { return !wanted || wanted->contains(run); });
    chosen.scope.all_runs = all.size();
    chosen.runs = reported_runs(database, std::move(shown), all);
    if (!wanted || !chosen.runs.shown.empty()) return chosen;
    throw Failure(
        kExitMissingInput,
        fmt::format("--where: no run of {} has {}; `lockstep ls --columns all` shows what "
                    "they have",
                    list_of(experiments), where));
}

// With a '+', which no name of an experiment has.
std::string folder_name(const std::vector<storage::ExperimentRow>& experiments,
                        const std::string& where) {
    constexpr std::size_t kDigits = 8;
    std::string name;
    for (const storage::ExperimentRow& row : experiments)
        name += (name.empty() ? "" : "+") + row.name;
    if (name.size() > kLongestFolder) {
        name = fmt::format("{}+{}-more-{}", experiments.front().name, experiments.size() - 1,
                           storage::sha256_hex(name).substr(0, kDigits));
    }
    if (!where.empty()) name += "+where-" + storage::sha256_hex(where).substr(0, kDigits);
    return name;
}

fs::path made_folder(const storage::RunStore& store,
                     const std::vector<storage::ExperimentRow>& experiments,
                     const ReportOptions& options) {
    const std::string name = folder_name(experiments, options.where);
    if (options.out.empty() && name == experiments.front().name) {
        return store.make_report_folder(name);
    }
    fs::path folder = options.out.empty() ? store.root() / "reports" / name : options.out;
    storage::make_folders(folder);
    return folder;
}

}  // namespace

WrittenReport write_report(const ReportOptions& options) {
    liveness::fault_point("report.write");
    const auto store = storage::RunStore::open(options.store);
    const storage::RunDatabase database = open_for_reading(options.store);
    const std::vector<storage::ExperimentRow> experiments = chosen(database, options);
    ChosenRuns runs = chosen_runs(database, experiments, options.where);
    const StoredReportSource source(store, database);
    reports::ExperimentReport report = reports::make_report(experiments.front(), runs.runs, source);
    report.scope = std::move(runs.scope);
    report.written_utc = storage::utc_now();
    report.lockstep_version = lockstep_version();

    const fs::path folder = made_folder(store, experiments, options);
    storage::replace_file(folder / "report.csv", reports::csv_report(report));
    storage::replace_file(folder / "pairs.csv", reports::pairs_csv(report));
    storage::replace_file(folder / "report.md", reports::markdown_report(report));
    storage::replace_file(folder / "report.html", reports::html_report(report));
    return {folder / "report.html", verdict_lines(report)};
}

int report(const ReportOptions& options) {
    const WrittenReport written = write_report(options);
    const auto line = [&](const char* name) {
        return printable((written.html.parent_path() / name).string());
    };
    print(fmt::format("{}\n{}\n{}\n{}\n{}", line("report.html"), line("report.md"),
                      line("report.csv"), line("pairs.csv"), written.verdict));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
