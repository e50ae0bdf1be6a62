// Which runs a user may mean by a text.

#include "storage/database/run_database.hpp"
#include "storage/files/storage_error.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {

TEST_CASE("database: runs are found by id, name and the beginning of the id", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    for (const char* run : {"vgg-11", "vgg-12", "vgg-bn-13", "x_y-1"}) {
        begin_sample_run(database, run);
    }
    CHECK(database.match_runs("vgg-11").size() == 1);
    CHECK(database.match_runs("vgg").size() == 2);  // the name, not the beginning
    CHECK(database.match_runs("vgg-b").size() == 1);
    CHECK(database.match_runs("vg").size() == 3);
    // As tables shorten names.
    CHECK(database.match_runs("vg...1").size() == 1);
    CHECK(database.match_runs("v...").size() == 3);
    CHECK(database.match_runs("y...1").empty());
    CHECK(database.match_runs("v...*").empty());
    CHECK(database.match_runs("x%").empty());  // no pattern
    CHECK(database.match_runs("").empty());
    CHECK(database.runs("tutorials").size() == 4);
    CHECK(database.runs("other").empty());
    CHECK_FALSE(database.find_run("vgg").has_value());
    CHECK_THROWS_AS(database.run_details("none"), StorageError);
}

TEST_CASE("database: a design's name means its seeds, whatever other ids begin so", "[storage]") {
    const tests::TemporaryDirectory folder;
    RunDatabase database(folder / "lockstep.db", DatabaseAccess::read_write);
    database.put_experiment(sample_experiment());
    const auto put = [&](const std::string& name, std::int64_t seed, const std::string& design) {
        RunRow row = sample_run(name + "-1234");
        row.seed = seed;
        row.design_name = design;
        database.put_run(row);
    };
    put("small-seed1", 1, "small");
    put("small-seed2", 2, "small");
    put("small-bn-seed1", 1, "small-bn");
    put("small-bn-seed2", 2, "small-bn");
    put("old-seed1", 1, "");  // as a store older than schema version 3 has it
    put("old-seed12", 12, "");
    put("old-bn-seed1", 1, "");
    CHECK(database.match_runs("small").size() == 2);
    CHECK(database.match_runs("small-bn").size() == 2);
    CHECK(database.match_runs("smal").size() == 4);  // the beginning
    CHECK(database.match_runs("small-seed1").size() == 1);
    CHECK(database.match_runs("old").size() == 2);
    CHECK(database.match_runs("old-bn").size() == 1);
}

}  // namespace lockstep::storage
