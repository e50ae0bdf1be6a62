#include "pipeline/training/stored_runs.hpp"

#include <fmt/format.h>

#include <optional>
#include <set>
#include <sstream>

#include "pipeline/ranks/agreement.hpp"
#include "reports/figures/design.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunDatabase;
using storage::RunRow;
using storage::RunStore;

bool is_the_planned_one(const RunRow& row, const PlannedRun& planned) {
    return row.run == planned.id || reports::design_name_of(row) == planned.run.design_name;
}

std::optional<RunRow> stored_run(const PlannedRun& planned, const RunDatabase& database) {
    std::optional<RunRow> best;
    for (RunRow& row : database.runs_of_config(planned.effective.digest)) {
        if (!is_the_planned_one(row, planned)) continue;
        if (!best || reports::counts_before(row, *best)) best = std::move(row);
    }
    return best;
}

// The config digest is the proof that the settings are those of the plan, also where the row alone
// could not tell which weights it started from.
void write_designs(const Plan& plan, RunDatabase& database) {
    std::vector<RunRow> rows;
    for (const PlannedRun& planned : plan.runs) {
        for (RunRow& row : database.runs_of_config(planned.effective.digest)) {
            if (!row.design_digest.empty()) continue;
            const bool is_own = row.run == planned.id;
            row.design_name = is_own ? planned.run.design_name : reports::design_name_of(row);
            row.design_digest = design_digest(planned.effective);
            row.initial_weights_sha256 = planned.run.initial_weights_sha256;
            rows.push_back(std::move(row));
        }
    }
    if (!rows.empty()) database.put_designs(rows);
}

std::string lines_of(const std::vector<StoredRun>& stored) {
    std::string lines;
    for (const StoredRun& each : stored) {
        lines += fmt::format("{} {} {}\n", each.place, each.id, each.name);
    }
    return lines;
}

std::vector<StoredRun> stored_from(const std::string& lines) {
    std::vector<StoredRun> stored;
    std::istringstream text(lines);
    for (StoredRun each; text >> each.place >> each.id >> each.name;) stored.push_back(each);
    return stored;
}

}  // namespace

std::vector<StoredRun> stored_under_other_ids(const Plan& plan, const RunDatabase& database) {
    std::set<std::string> taken;
    for (const PlannedRun& planned : plan.runs) taken.insert(planned.id);
    std::vector<StoredRun> stored;
    for (std::size_t place = 0; place < plan.runs.size(); ++place) {
        const auto row = stored_run(plan.runs[place], database);
        if (row && taken.insert(row->run).second) stored.push_back({place, row->run, row->name});
    }
    return stored;
}

void adopt(Plan& plan, const std::vector<StoredRun>& stored) {
    for (const StoredRun& each : stored) {
        PlannedRun& planned = plan.runs.at(each.place);
        planned.id = each.id;
        planned.run.config.name = each.name;
    }
}

std::string adoption_text(const PlannedRun& planned, const StoredRun& stored) {
    return fmt::format("{}: stored as {}, the same training", planned.run.config.name, stored.id);
}

void adopt_stored_runs(Plan& plan, const std::filesystem::path& store,
                       const trainer::Communicator& world, ProgressSink& progress) {
    std::string lines;
    do_on_root(world, [&] {
        RunDatabase database(RunStore::create(store).database(),
                             storage::DatabaseAccess::read_write);
        write_designs(plan, database);
        lines = lines_of(stored_under_other_ids(plan, database));
    });
    const std::vector<StoredRun> stored = stored_from(world.broadcast_text(lines));
    if (world.is_root()) {
        for (const StoredRun& each : stored) {
            progress.message(adoption_text(plan.runs.at(each.place), each));
        }
    }
    adopt(plan, stored);
}

}  // namespace lockstep::pipeline
