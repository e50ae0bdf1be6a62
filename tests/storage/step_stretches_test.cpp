#include <cmath>
#include <limits>
#include <vector>

#include "storage/database/run_database.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

using tests::TemporaryDirectory;

// Against a plain loop over the steps.
void check_stretches(const RunDatabase& database, std::int64_t steps, std::int64_t most) {
    CAPTURE(steps, most);
    const std::vector<StepStretch> stretches = database.step_stretches("a-1", most);
    REQUIRE(stretches.size() <= static_cast<std::size_t>(most));
    std::int64_t next = 0;
    const std::vector<StepRow> rows = database.steps("a-1");
    for (const StepStretch& stretch : stretches) {
        CHECK(stretch.first_step == next);
        CHECK(stretch.steps <= stretches.front().steps);
        double sum = 0.0;
        double low = std::numeric_limits<double>::infinity();
        double high = -low;
        for (std::int64_t i = 0; i < stretch.steps; ++i) {
            const double loss = rows.at(static_cast<std::size_t>(next + i)).loss;
            sum += loss;
            low = std::fmin(low, loss);
            high = std::fmax(high, loss);
        }
        next += stretch.steps;
        if (std::isnan(sum)) {
            CHECK(std::isnan(stretch.mean_loss));
            CHECK(std::isnan(stretch.lowest_loss));
            CHECK(std::isnan(stretch.highest_loss));
        } else {
            CHECK(stretch.mean_loss == Approx(sum / static_cast<double>(stretch.steps)));
            CHECK(stretch.lowest_loss == low);
            CHECK(stretch.highest_loss == high);
        }
    }
    CHECK(next == steps);  // each step once
}

TEST_CASE("database: steps in stretches are all steps, in order, and a NaN is not averaged away",
          "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    begin_sample_run(database, "a-1");
    CHECK(database.step_stretches("a-1", 200).empty());
    std::vector<StepRow> rows;
    for (int step = 0; step < 23; ++step) {
        const double loss = step == 13 ? std::nan("") : 2.0 / (1.0 + step);
        rows.push_back({"a-1", step, loss, 0.5});
    }
    database.record_epoch(sample_epoch("a-1", 1), rows, {});
    for (const std::int64_t most : {1, 2, 5, 22, 23, 24, 200}) check_stretches(database, 23, most);
    CHECK(database.step_stretches("a-1", 200).size() == 23);
}

}  // namespace
}  // namespace lockstep::storage
