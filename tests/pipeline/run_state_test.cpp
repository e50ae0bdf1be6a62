// Runs as they are, where a database still says what a killed process left.

#include "pipeline/recording/run_state.hpp"

#include <algorithm>
#include <string>

#include "pipeline/recording/stored_work.hpp"
#include "reports/tables/table_columns.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

using storage::Cell;
using storage::RunState;

// Two experiments with a run each of their own, and "shared" in both lists: it was begun by a
// process whose lease ran out long ago, after one epoch of ten.
class Store {
public:
    Store() : database_(folder_ / "lockstep.db", storage::DatabaseAccess::read_write) {
        for (const char* name : {"first", "second"}) {
            database_.put_experiment({name, "", "", "", "2026-03-01T12:00:00.000Z"});
            put(std::string("own-") + name, name);
        }
        put("shared", "first");
        const std::vector<std::string> listed{"shared"};
        database_.list_runs("second", listed);
        storage::AttemptRow attempt;
        attempt.run = "shared";
        attempt.host = "gone";
        attempt.started_utc = "2026-03-01T12:00:00.000Z";
        attempt.lease_seconds = 90;
        const int number = database_.begin_attempt(attempt, {});
        storage::EpochRow epoch;
        epoch.run = "shared";
        epoch.epoch = 1;
        epoch.attempt = number;
        epoch.epoch_seconds = 2.0;
        database_.record_epoch(epoch, {}, {});
    }
    const storage::RunDatabase& database() const { return database_; }

private:
    void put(const std::string& run, const std::string& experiment) {
        storage::RunRow row;
        row.run = row.name = run;
        row.experiment = experiment;
        row.epochs = 10;
        row.training_samples = 100;
        row.flops_per_image = 1000;
        database_.put_run(row);
    }

    tests::TemporaryDirectory folder_;
    storage::RunDatabase database_;
};

Cell state_in(const storage::Table& table, const std::string& run) {
    const std::size_t id = reports::place_of(table, "run"),
                      state = reports::place_of(table, "state");
    const auto row =
        std::ranges::find(table.rows, Cell(run), [&](const auto& each) { return each[id]; });
    REQUIRE(row != table.rows.end());
    return (*row)[state];
}

}  // namespace

TEST_CASE("states: a run whose process is gone is interrupted, wherever it is shown",
          "[pipeline]") {
    const Store store;
    const storage::RunDatabase& database = store.database();
    REQUIRE(database.find_run("shared")->state == RunState::running);
    CHECK(details_of(database, "shared").run.state == RunState::interrupted);
    CHECK(state_in(runs_table_of(database, ""), "shared") == Cell(std::string("interrupted")));
    CHECK(state_in(runs_table_of(database, ""), "own-first") == Cell(std::string("queued")));
    CHECK(state_in(epochs_table_of(database, "shared"), "shared") ==
          Cell(std::string("interrupted")));
}

TEST_CASE("work left: a run in two lists is one run, and a dead one trains beside nobody",
          "[pipeline]") {
    const Store store;
    const auto works = works_of(store.database(), {"first", "second"});
    CHECK(works.size() == 3);
    CHECK(std::ranges::count(works, RunState::running, &reports::RunWork::state) == 0);
    CHECK(std::ranges::count(works, RunState::interrupted, &reports::RunWork::state) == 1);
    // 9 epochs of the shared one and 10 of each other, of 2 s, one after the other.
    CHECK(reports::seconds_left(works) == 58.0);
}

}  // namespace lockstep::pipeline
