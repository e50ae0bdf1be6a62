#include "pipeline/training/stored_runs.hpp"

#include <fmt/format.h>

#include <set>
#include <sstream>
#include <utility>

#include "pipeline/ranks/agreement.hpp"
#include "pipeline/settings/toml_tree.hpp"
#include "pipeline/training/run_data.hpp"
#include "reports/figures/design.hpp"
#include "reports/figures/run_settings.hpp"
#include "storage/files/run_store.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunDatabase;
using storage::RunRow;
using storage::RunStore;

// Every run of a store, by its config digest; oldest first.
using RowsByConfig = std::map<std::string, std::vector<RunRow>>;

RowsByConfig rows_by_config(const RunDatabase& database) {
    RowsByConfig rows;
    for (RunRow& row : database.runs()) rows[row.config_digest].push_back(std::move(row));
    return rows;
}

const std::vector<RunRow>& rows_of(const PlannedRun& planned, const RowsByConfig& rows) {
    static const std::vector<RunRow> kNone;
    const auto found = rows.find(planned.effective.digest);
    return found == rows.end() ? kNone : found->second;
}

// Of the rows of its config digest. One that has read no data yet will read the plan's.
bool is_the_planned_one(const RunRow& row, const Plan& plan, const PlannedRun& planned,
                        const IsItsData& is_its_data) {
    if (row.run == planned.id) return true;
    return row.experiment == plan.experiment &&
           reports::design_name_of(row) == planned.run.design_name &&
           (row.data_digest.empty() || is_its_data(planned, row.data_digest));
}

const RunRow* stored_run(const Plan& plan, const PlannedRun& planned, const RowsByConfig& rows,
                         const IsItsData& is_its_data) {
    const RunRow* best = nullptr;
    for (const RunRow& row : rows_of(planned, rows)) {
        if (!is_the_planned_one(row, plan, planned, is_its_data)) continue;
        if (!best || reports::counts_before(row, *best)) best = &row;
    }
    return best;
}

std::vector<StoredRun> find_stored(const Plan& plan, const RowsByConfig& rows,
                                   const IsItsData& is_its_data) {
    std::set<std::string> taken;
    for (const PlannedRun& planned : plan.runs) taken.insert(planned.id);
    std::vector<StoredRun> stored;
    for (std::size_t place = 0; place < plan.runs.size(); ++place) {
        const RunRow* row = stored_run(plan, plan.runs[place], rows, is_its_data);
        if (row && taken.insert(row->run).second) stored.push_back({place, row->run, row->name});
    }
    return stored;
}

// The config digest is the proof that the settings are those of the plan, also where the row alone
// could not tell which weights it started from.
void write_designs(const Plan& plan, RowsByConfig& stored, RunDatabase& database) {
    std::vector<RunRow> rows;
    for (const PlannedRun& planned : plan.runs) {
        const auto found = stored.find(planned.effective.digest);
        if (found == stored.end()) continue;
        for (RunRow& row : found->second) {
            if (!row.design_digest.empty()) continue;
            const bool is_own = row.run == planned.id;
            row.design_name = is_own ? planned.run.design_name : reports::design_name_of(row);
            row.design_digest = design_digest(planned.effective);
            row.initial_weights_sha256 = planned.run.initial_weights_sha256;
            rows.push_back(row);
        }
    }
    if (!rows.empty()) database.put_designs(rows);
}

// Of stores that are older than the column.
void write_settings(const RowsByConfig& stored, RunDatabase& database) {
    std::vector<RunRow> rows;
    for (const auto& [digest, of_config] : stored) {
        for (const RunRow& row : of_config) {
            if (row.settings != "{}") continue;
            rows.push_back(row);
            rows.back().settings =
                reports::settings_json(reports::run_settings(row.effective_config));
        }
    }
    database.put_settings(rows);
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

bool PlannedData::operator()(const PlannedRun& planned, const std::string& digest) {
    return digest_of(planned) == digest;
}

bool PlannedData::are_others(const PlannedRun& planned, const std::string& digest) {
    const std::string& own = digest_of(planned);
    return !own.empty() && own != digest;
}

const std::string& PlannedData::digest_of(const PlannedRun& planned) {
    const trainer::DataConfig& data = planned.run.config.data;
    const auto [entry, is_new] = digests_.try_emplace(dataset_key(data));
    if (is_new) entry->second = read(data);
    return entry->second;
}

std::string PlannedData::read(const trainer::DataConfig& data) {
    try {
        return trainer::load_dataset(data)->digest;
    } catch (const trainer::DataError&) {
        return {};  // the training will say what is wrong with it
    }
}

std::vector<StoredRun> stored_under_other_ids(const Plan& plan, const RunDatabase& database,
                                              const IsItsData& is_its_data) {
    return find_stored(plan, rows_by_config(database), is_its_data);
}

void adopt_trained(Plan& plan, const RunDatabase& database) {
    const auto is_its_data = [&](const PlannedRun& planned, const std::string& digest) {
        const auto own = database.find_run(planned.id);
        return !own || own->data_digest.empty() || own->data_digest == digest;
    };
    adopt(plan, stored_under_other_ids(plan, database, is_its_data));
}

void adopt(Plan& plan, const std::vector<StoredRun>& stored) {
    for (const StoredRun& each : stored) {
        PlannedRun& planned = plan.runs.at(each.place);
        planned.id = each.id;
        planned.run.config.name = each.name;
        for (EffectiveValue& value : planned.effective.values) {
            if (value.key == "name") value.value = toml_string(each.name);
        }
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
        RowsByConfig rows = rows_by_config(database);
        write_designs(plan, rows, database);
        write_settings(rows, database);
        lines = lines_of(find_stored(plan, rows, PlannedData()));
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
