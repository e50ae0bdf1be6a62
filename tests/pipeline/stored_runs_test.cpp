#include "pipeline/training/stored_runs.hpp"

#include <string>
#include <vector>

#include "pipeline/recording/run_rows.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace lockstep;
using namespace lockstep::tests;
using pipeline::Plan;
using storage::RunState;

namespace {

Plan plan_of(const std::string& seeds, const std::string& name = "x") {
    return pipeline::plan(read(kHead + run_text(name, "train = { seeds = " + seeds + " }\n")));
}

// A store's database with the given runs, made in this order.
class Store {
public:
    void put(const pipeline::PlannedRun& planned, RunState state) {
        storage::RunRow row = pipeline::run_row(planned, "test", nullptr);
        row.created_utc = "2026-03-01T12:00:0" + std::to_string(count_++) + ".000Z";
        database_.put_experiment({"test", "", "exp.toml", "d0", row.created_utc});
        database_.put_run(row);
        if (state == RunState::queued) return;
        storage::AttemptRow attempt;
        attempt.run = row.run;
        const int number = database_.begin_attempt(attempt, {});
        if (state == RunState::running) return;
        storage::AttemptEnd end;
        end.state = state;
        database_.end_attempt(row.run, number, end);
    }
    // The ids that the runs of the plan have in the store.
    std::vector<std::string> adopted_ids(Plan plan) const {
        pipeline::adopt(plan, pipeline::stored_under_other_ids(plan, database_));
        std::vector<std::string> ids;
        for (const auto& planned : plan.runs) ids.push_back(planned.id);
        return ids;
    }

private:
    TemporaryDirectory folder_;
    storage::RunDatabase database_{folder_ / "lockstep.db", storage::DatabaseAccess::read_write};
    int count_ = 0;
};

}  // namespace

TEST_CASE("a seed's run is one run whatever list it stands in", "[stored_runs]") {
    const Plan one = plan_of("[1]");
    const Plan two = plan_of("[2, 1]");
    for (const RunState state : {RunState::queued, RunState::running, RunState::interrupted,
                                 RunState::failed, RunState::finished}) {
        CAPTURE(storage::to_string(state));
        Store short_list;
        short_list.put(one.runs[0], state);
        CHECK(short_list.adopted_ids(two) == std::vector{two.runs[0].id, one.runs[0].id});
        Store long_list;
        long_list.put(two.runs[1], state);
        CHECK(long_list.adopted_ids(one) == std::vector{two.runs[1].id});
    }
}

TEST_CASE("an empty store and another design's runs leave a plan as it is", "[stored_runs]") {
    const Plan plan = plan_of("[1, 2]");
    CHECK(Store().adopted_ids(plan) == std::vector{plan.runs[0].id, plan.runs[1].id});
    Store store;
    store.put(plan_of("[1]", "other").runs[0], RunState::finished);  // the same, by another name
    store.put(plan_of("[3]").runs[0], RunState::finished);
    CHECK(store.adopted_ids(plan) == std::vector{plan.runs[0].id, plan.runs[1].id});
}

TEST_CASE("of a training stored twice the finished run is taken, then the oldest",
          "[stored_runs]") {
    const Plan one = plan_of("[1]");
    const Plan two = plan_of("[1, 2]");
    Store store;
    store.put(two.runs[0], RunState::failed);
    store.put(one.runs[0], RunState::finished);
    CHECK(store.adopted_ids(two)[0] == one.runs[0].id);
    CHECK(store.adopted_ids(one)[0] == one.runs[0].id);
    Store both;
    both.put(two.runs[0], RunState::finished);
    both.put(one.runs[0], RunState::finished);
    CHECK(both.adopted_ids(one)[0] == two.runs[0].id);
}

TEST_CASE("an adopted run has the stored name, and is told in one line", "[stored_runs]") {
    Plan plan = plan_of("[1, 2]");
    const pipeline::StoredRun stored{0, "x-0badcafe", "x"};
    CHECK(pipeline::adoption_text(plan.runs[0], stored) ==
          "x-seed1: stored as x-0badcafe, the same training");
    pipeline::adopt(plan, {stored});
    CHECK(plan.runs[0].id == "x-0badcafe");
    CHECK(plan.runs[0].run.config.name == "x");
    CHECK(plan.runs[1].run.config.name == "x-seed2");
}
