// Runs as MLflow and TensorBoard have them: what one store of finished runs does not show.

#include <cmath>
#include <utility>
#include <vector>

#include "pipeline/exporting/mlflow_run.hpp"
#include "pipeline/exporting/step_epochs.hpp"
#include "pipeline/exporting/tensorboard_run.hpp"
#include "storage/database/run_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using storage::EpochRow;
using storage::HparamsStatus;
using storage::MlflowStatus;
using storage::RunDetails;
using storage::RunState;
using storage::StepRow;

std::vector<EpochRow> two_epochs() {
    std::vector<EpochRow> epochs(2);
    for (int i = 0; i < 2; ++i) {
        epochs[static_cast<std::size_t>(i)].epoch = i + 1;
        epochs[static_cast<std::size_t>(i)].steps = 3 - i;  // 3, then 2
    }
    return epochs;
}

std::vector<StepRow> steps_up_to(std::int64_t count) {
    std::vector<StepRow> steps;
    for (std::int64_t step = 0; step < count; ++step) steps.push_back({"a-1", step, 0.5, 0.5});
    return steps;
}

RunDetails run_in(RunState state) {
    RunDetails details;
    details.run.run = "a-1";
    details.run.name = "a";
    details.run.state = state;
    details.run.created_utc = "2026-03-01T12:00:00.250Z";
    return details;
}

}  // namespace

TEST_CASE("exported run: steps belong to epochs by their counts", "[pipeline]") {
    const std::vector<EpochRow> epochs = two_epochs();
    const auto of = step_epochs(epochs, steps_up_to(7));  // two more than the epochs have
    REQUIRE(of.size() == 7);
    const std::vector<int> expected{1, 1, 1, 2, 2, 2, 2};
    for (std::size_t i = 0; i < 7; ++i) CHECK(of[i]->epoch == expected[i]);
    CHECK(step_epochs({}, steps_up_to(2)).empty());
}

TEST_CASE("exported run: states in the tools' words", "[pipeline]") {
    const std::vector<std::pair<RunState, std::pair<MlflowStatus, HparamsStatus>>> states{
        {RunState::queued, {MlflowStatus::scheduled, HparamsStatus::unknown}},
        {RunState::running, {MlflowStatus::running, HparamsStatus::running}},
        {RunState::finished, {MlflowStatus::finished, HparamsStatus::success}},
        {RunState::interrupted, {MlflowStatus::killed, HparamsStatus::failure}},
        {RunState::failed, {MlflowStatus::failed, HparamsStatus::failure}}};
    for (const auto& [state, words] : states) {
        const RunDetails details = run_in(state);
        CHECK(mlflow_run("e", details, {}).status == words.first);
        CHECK(tensorboard_session(details, {}).status == words.second);
    }
}

TEST_CASE("exported run: one that has not begun has no curves, steps without epochs a time",
          "[pipeline]") {
    const RunDetails details = run_in(RunState::queued);
    const storage::MlflowRun run = mlflow_run("e", details, steps_up_to(1));
    CHECK(run.start_ms == 1772366400250);  // date -u -d 2026-03-01T12:00:00.250Z +%s%3N
    CHECK_FALSE(run.end_ms.has_value());
    CHECK(run.metrics.at("batch_loss").at(0).unix_ms == 1772366400250);
    CHECK_FALSE(run.metrics.contains("loss"));
    CHECK(tensorboard_curves(details, steps_up_to(1)).empty());
}

TEST_CASE("exported run: a loss that is no number stays one", "[pipeline]") {
    RunDetails details = run_in(RunState::failed);
    details.epochs = two_epochs();
    details.epochs[1].loss = std::nan("");
    const storage::MlflowRun run = mlflow_run("e", details, {});
    REQUIRE(run.metrics.at("loss").size() == 2);
    CHECK(std::isnan(run.metrics.at("loss")[1].value));
    CHECK(std::isnan(tensorboard_curves(details, {}).at("train").at(3).value));
    CHECK_FALSE(run.metrics.contains("val_loss"));
}

}  // namespace lockstep::pipeline
