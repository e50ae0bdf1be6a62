#include "pipeline/verbs/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <vector>

#include "liveness/fault_point.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/report_source.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_report.hpp"
#include "reports/tables/report_csv.hpp"
#include "reports/tables/report_tables.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

storage::ExperimentRow the_experiment(const storage::RunDatabase& database,
                                      const std::string& name) {
    const std::vector<storage::ExperimentRow> all = database.experiments();
    const auto found = std::ranges::find(all, name, &storage::ExperimentRow::name);
    if (found != all.end()) return *found;
    std::vector<std::string> names;
    for (const storage::ExperimentRow& row : all) names.push_back(row.name);
    throw Failure(kExitMissingInput,
                  fmt::format("the store has no experiment \"{}\"; it has: {}", name,
                              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

// The only experiment of a store need not be named.
std::string chosen(const storage::RunDatabase& database, const ReportOptions& options) {
    if (!options.experiment.empty()) return options.experiment;
    const std::vector<storage::ExperimentRow> all = database.experiments();
    if (all.size() == 1) return all.front().name;
    std::vector<std::string> names;
    for (const storage::ExperimentRow& row : all) names.push_back(row.name);
    throw UsageError(
        fmt::format("which experiment? The store has: {}",
                    names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

fs::path made_folder(const storage::RunStore& store, const std::string& experiment,
                     const fs::path& out) {
    if (out.empty()) return store.make_report_folder(experiment);
    storage::make_folders(out);
    return out;
}

}  // namespace

fs::path write_report(const fs::path& store_path, const std::string& experiment,
                      const fs::path& out) {
    liveness::fault_point("report.write");
    const auto store = storage::RunStore::open(store_path);
    const storage::RunDatabase database = open_for_reading(store_path);
    std::vector<std::string> ids;
    for (const storage::RunRow& row : database.runs(experiment)) ids.push_back(row.run);
    const StoredReportSource source(store, database);
    reports::ExperimentReport report =
        reports::make_report(the_experiment(database, experiment), ids, source);
    report.written_utc = storage::utc_now();
    report.lockstep_version = lockstep_version();

    const fs::path folder = made_folder(store, experiment, out);
    storage::replace_file(folder / "report.csv", reports::csv_report(report));
    storage::replace_file(folder / "pairs.csv", reports::pairs_csv(report));
    storage::replace_file(folder / "report.md", reports::markdown_report(report));
    storage::replace_file(folder / "report.html", reports::html_report(report));
    return folder / "report.html";
}

int report(const ReportOptions& options) {
    const std::string experiment = chosen(open_for_reading(options.store), options);
    const fs::path html = write_report(options.store, experiment, options.out);
    const auto line = [&](const char* name) {
        return printable((html.parent_path() / name).string());
    };
    print(fmt::format("{}\n{}\n{}\n{}\n", printable(html.string()), line("report.md"),
                      line("report.csv"), line("pairs.csv")));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
