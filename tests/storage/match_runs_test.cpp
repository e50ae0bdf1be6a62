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

}  // namespace lockstep::storage
