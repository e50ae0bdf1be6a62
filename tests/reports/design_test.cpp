#include "reports/figures/design.hpp"

#include <string>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

storage::RunRow row(const std::string& settings) {
    storage::RunRow run;
    run.name = "vgg-seed1";
    run.seed = 1;
    run.data_digest = "d1";
    run.config_digest = "c1";
    run.effective_config = settings;
    return run;
}

bool is_one_design(const std::string& first, const std::string& second) {
    return design_of(row(first)) == design_of(row(second));
}

TEST_CASE("A design is what can change a result, the seed aside") {
    const std::string settings = "train.batch_size = 32  # default\n";
    for (const char* outside :
         {"name = \"b\"\n", "title = \"t\"\n", "source = \"s\"\n", "expect.loss = 0.5\n",
          "data.path = \"/elsewhere\"\n", "train.seed = 7\n", "train.record_steps = true\n",
          "parallel.ranks_per_run = 2\n"}) {
        CAPTURE(outside);
        CHECK(is_one_design(settings, outside + settings));
    }
    for (const char* inside : {"train.epochs = 3\n", "data.seed = 2\n",
                               "data.classes = [\"cat\"]\n", "parallel.shards = 4\n",
                               "checkpoint = \"none\"\n", "train.initial_weights = \"w.h5\"\n"}) {
        CAPTURE(inside);
        CHECK_FALSE(is_one_design(settings, inside + settings));
    }
}

TEST_CASE("Other data make another design, as long as both are known") {
    storage::RunRow other = row("train.epochs = 3\n");
    CHECK(design_of(other) == design_of(row("train.epochs = 3\n")));
    other.data_digest = "d2";
    CHECK(design_of(other) != design_of(row("train.epochs = 3\n")));
    CHECK_FALSE(is_same_training(other, row("")));
    other.data_digest = "";
    CHECK(is_same_training(other, row("")));
    other.config_digest = "c2";
    CHECK_FALSE(is_same_training(other, row("")));
}

TEST_CASE("Weights to start from are their content; the path stands for it in old rows alone") {
    storage::RunRow here = row("train.initial_weights = \"here.h5\"\n");
    storage::RunRow there = row("train.initial_weights = \"there.h5\"\n");
    CHECK(design_of(here) != design_of(there));  // not known to be equal
    CHECK(design_of(here) == design_of(row("train.initial_weights = \"here.h5\"\n")));
    here.initial_weights_sha256 = there.initial_weights_sha256 = "5e";
    CHECK(design_of(here) == design_of(there));
    there.initial_weights_sha256 = "5f";
    CHECK(design_of(here) != design_of(there));
}

TEST_CASE("A stored design digest and name go before what could be read from the row") {
    storage::RunRow stored = row("train.epochs = 3\n");
    CHECK(design_of(stored).settings == settings_digest("train.epochs=3\n"));
    CHECK(design_name_of(stored) == "vgg");
    stored.design_digest = "5d";
    stored.design_name = "vgg-seed1";
    CHECK(design_of(stored) == Design{"5d", "d1"});
    CHECK(design_name_of(stored) == "vgg-seed1");
}

TEST_CASE("Of one training stored twice the finished one counts, then the oldest") {
    storage::RunRow first = row("");
    storage::RunRow second = row("");
    first.run = "x-1";
    second.run = "x-seed1-1";
    first.created_utc = "2026-03-01T12:00:00.000Z";
    second.created_utc = "2026-03-02T12:00:00.000Z";
    CHECK(counts_before(first, second));
    CHECK_FALSE(counts_before(second, first));
    second.state = storage::RunState::finished;
    CHECK(counts_before(second, first));
    first.state = storage::RunState::finished;
    CHECK(counts_before(first, second));
    second.created_utc = first.created_utc;
    CHECK(counts_before(first, second));  // by id, so that the order is one
}

}  // namespace
}  // namespace lockstep::reports
