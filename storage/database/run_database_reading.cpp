// Which runs and experiments there are.

#include <fmt/format.h>
#include <sqlite3.h>

#include <utility>

#include "storage/database/database_connection.hpp"
#include "storage/database/row_reader.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::storage {
namespace {

// Members in braces are read from left to right, in the order of the columns.
RunRow run_row(RowReader& row) {
    return {.run = row.text(),
            .experiment = row.text(),
            .name = row.text(),
            .title = row.text(),
            .notes = row.text(),
            .source = row.text(),
            .seed = row.integer(),
            .config_digest = row.text(),
            .data_digest = row.text(),
            .dataset = row.text(),
            .architecture = row.text(),
            .optimizer = row.text(),
            .batch_size = row.number(),
            .shards = row.number(),
            .exchange = row.text(),
            .parameters = row.integer(),
            .trainable_parameters = row.integer(),
            .flops_per_image = row.integer(),
            .epochs = row.number(),
            .training_samples = row.integer(),
            .validation_samples = row.integer(),
            .test_samples = row.integer(),
            .validates_on_test_set = row.flag(),
            .selected_on_test_set = row.flag(),
            .expected = row.text(),
            .effective_config = row.text(),
            .state = run_state_from(row.text()),
            .created_utc = row.text(),
            .design_name = row.text(),
            .design_digest = row.text(),
            .initial_weights_sha256 = row.text(),
            .settings = row.text(),
            .parent_run = row.text()};
}

// The columns of run_row(), as the table has them.
constexpr std::string_view kSelectRuns = R"sql(
    SELECT run, experiment, name, title, notes, source, seed, config_digest, data_digest, dataset,
        architecture, optimizer, batch_size, shards, exchange, parameters, trainable_parameters,
        flops_per_image, epochs, training_samples, validation_samples, test_samples,
        validates_on_test_set, selected_on_test_set, expected, effective_config, state, created_utc,
        design_name, design_digest, initial_weights_sha256, settings, parent_run
    FROM runs WHERE )sql";

// `condition` is a constant of ours that an index answers; ?1 in it is `value`.
std::vector<RunRow> select_runs(SQLite::Database& db, std::string_view condition,
                                std::string_view value) {
    const std::string sql = fmt::format("{}{} ORDER BY created_utc, run", kSelectRuns, condition);
    return select(db, sql.c_str(), run_row, value);
}

// The design's name as it is stored; of a row of an older store its name without the seed behind
// it.
constexpr const char* kOfDesign = R"sql(
    CASE WHEN design_name <> '' THEN design_name = ?1
         ELSE name = ?1 || '-seed' || seed END)sql";

// Of a text "conv10...64", as tables show a long name: whether a name, or an id, begins and ends
// so.
constexpr const char* kShortened = R"sql(
    instr(?1, '...') > 0 AND (
        substr(name, 1, instr(?1, '...') - 1) = substr(?1, 1, instr(?1, '...') - 1) AND
        substr(name, length(name) - length(?1) + instr(?1, '...') + 3) =
            substr(?1, instr(?1, '...') + 3) OR
        substr(run, 1, instr(?1, '...') - 1) = substr(?1, 1, instr(?1, '...') - 1) AND
        substr(run, length(run) - length(?1) + instr(?1, '...') + 3) =
            substr(?1, instr(?1, '...') + 3)))sql";

}  // namespace

void RunDatabase::read_at_once(const std::function<void()>& read) const {
    connection_->use([&](SQLite::Database& db) {
        if (sqlite3_get_autocommit(db.getHandle()) == 0) return read();  // inside of another one
        SQLite::Transaction moment(db);
        read();
        moment.commit();
    });
}

std::vector<ExperimentRow> RunDatabase::experiments() const {
    return connection_->use([](SQLite::Database& db) {
        return select(
            db, "SELECT name, title, file, file_digest, created_utc FROM experiments ORDER BY name",
            [](RowReader& row) {
                return ExperimentRow{row.text(), row.text(), row.text(), row.text(), row.text()};
            });
    });
}

std::vector<RunRow> RunDatabase::runs(std::string_view experiment) const {
    return connection_->use([&](SQLite::Database& db) {
        return experiment.empty() ? select_runs(db, "?1 = ''", "")
                                  : select_runs(db,
                                                "run IN (SELECT run FROM experiment_runs "
                                                "WHERE experiment = ?1)",
                                                experiment);
    });
}

std::optional<RunRow> RunDatabase::find_run(std::string_view run) const {
    if (run.empty()) return std::nullopt;
    auto found =
        connection_->use([&](SQLite::Database& db) { return select_runs(db, "run = ?1", run); });
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

std::vector<std::string> RunDatabase::experiments_of(std::string_view run) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(
            db, "SELECT experiment FROM experiment_runs WHERE run = ?1 ORDER BY experiment",
            [](RowReader& row) { return row.text(); }, run);
    });
}

std::vector<RunRow> RunDatabase::match_runs(std::string_view text) const {
    if (text.empty()) return {};
    return connection_->use([&](SQLite::Database& db) {
        auto found = select_runs(db, "run = ?1", text);
        if (found.empty()) found = select_runs(db, "name = ?1", text);
        if (found.empty()) found = select_runs(db, kOfDesign, text);
        if (found.empty()) {  // the range of an index; U+10FFFF sorts behind all text
            found = select_runs(db, "run >= ?1 AND run < ?1 || char(1114111)", text);
        }
        if (found.empty()) found = select_runs(db, kShortened, text);
        return found;
    });
}

std::vector<std::string> RunDatabase::running_runs() const {
    return connection_->use([&](SQLite::Database& db) {
        return select(db, "SELECT run FROM runs WHERE state = 'running' ORDER BY created_utc, run",
                      [](RowReader& row) { return row.text(); });
    });
}

std::vector<RunRow> RunDatabase::runs_of_config(std::string_view config_digest) const {
    return connection_->use(
        [&](SQLite::Database& db) { return select_runs(db, "config_digest = ?1", config_digest); });
}

std::vector<int> RunDatabase::finished_epochs(std::string_view data_digest, int below) const {
    return connection_->use([&](SQLite::Database& db) {
        return select(
            db, R"sql(
            SELECT DISTINCT epochs FROM runs
            WHERE state = 'finished' AND data_digest = ?1 AND epochs BETWEEN 1 AND ?2 - 1
            ORDER BY epochs DESC)sql",
            [](RowReader& row) { return row.number(); }, data_digest, below);
    });
}

}  // namespace lockstep::storage
