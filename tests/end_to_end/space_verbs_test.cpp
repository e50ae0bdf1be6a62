// rm and gc: a dry run unless --yes is said, and what can still be done afterwards.

#include <fstream>
#include <string>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

class Copy {
public:
    Copy() { fs::copy(finished_store(), store(), fs::copy_options::recursive); }
    fs::path store() const { return folder_ / "store"; }
    Result run(std::vector<std::string> words) const {
        words.insert(words.end(), {"--store", store().string()});
        return lockstep(words);
    }

private:
    TemporaryDirectory folder_;
};

TEST_CASE("rm removes nothing without --yes, and rows and folder with it", "[end_to_end]") {
    const Copy copy;
    const fs::path folder = run_folder(copy.store(), "three-classes");
    for (const auto& words : {std::vector<std::string>{"rm", "three-classes"},
                              {"rm", "three-classes", "--dry-run"},
                              {"rm", "three-classes", "--yes", "--dry-run"}}) {
        const Result dry = copy.run(words);
        CHECK(dry.exit_code == 0);
        CHECK(dry.output.find("three-classes") != std::string::npos);
        CHECK(dry.errors.find("dry run") != std::string::npos);
        CHECK(fs::exists(folder));
    }
    CHECK(copy.run({"rm", "three-classes", "--yes"}).exit_code == 0);
    CHECK_FALSE(fs::exists(folder));
    CHECK(rows(copy.store(), "select count(*) from v_runs where name = 'three-classes'") == "0\n");
    CHECK(copy.run({"fsck"}).exit_code == 0);
}

TEST_CASE("rm chooses by --where, --failed and --experiment", "[end_to_end]") {
    const Copy copy;
    CHECK(copy.run({"rm"}).exit_code == 64);
    CHECK(copy.run({"rm", "--experiment", "nobody"}).exit_code == 66);
    CHECK(copy.run({"rm", "nobody"}).exit_code == 66);
    CHECK(copy.run({"rm", "--where", "nonsense ="}).exit_code == 64);
    const Result none = copy.run({"rm", "--failed", "--yes"});
    CHECK(none.exit_code == 0);
    CHECK(rows(copy.store(), "select count(*) from v_runs") == "4\n");
    CHECK(copy.run({"rm", "--where", "optimizer = 'rmsprop'", "--yes"}).exit_code == 0);
    CHECK(rows(copy.store(), "select count(*) from v_runs") == "2\n");
    CHECK(copy.run({"rm", "--experiment", "smoke", "--yes"}).exit_code == 0);
    CHECK(rows(copy.store(), "select count(*) from v_runs") == "0\n");
    CHECK(rows(copy.store(), "select count(*) from experiments") == "0\n");
    CHECK(fs::is_empty(copy.store() / "runs"));
    CHECK_FALSE(fs::exists(copy.store() / "reports" / "smoke"));
    CHECK(copy.run({"fsck"}).exit_code == 0);
}

TEST_CASE("After gc a finished run still does all but go back to its checkpoint", "[end_to_end]") {
    const Copy copy;
    const fs::path folder = run_folder(copy.store(), "batch-normalized");
    const std::string weights = read_text(folder / "final.h5");
    std::ofstream(folder / "final.h5.tmp.elsewhere.1") << "young, of another host: stays";
    CHECK(copy.run({"gc"}).errors.find("dry run") != std::string::npos);
    CHECK(fs::exists(folder / "checkpoint.h5"));
    CHECK(copy.run({"gc", "--keep", "nonsense"}).exit_code == 64);
    CHECK(copy.run({"gc", "--yes", "--keep", "checkpoint"}).exit_code == 0);
    CHECK(fs::exists(folder / "checkpoint.h5"));
    CHECK_FALSE(fs::exists(folder / "checkpoint.prev.h5"));
    CHECK(copy.run({"gc", "--yes"}).exit_code == 0);
    CHECK_FALSE(fs::exists(folder / "checkpoint.h5"));
    CHECK(fs::exists(folder / "final.h5.tmp.elsewhere.1"));
    CHECK(copy.run({"fsck"}).exit_code == 0);

    CHECK(read_text(folder / "final.h5") == weights);
    CHECK(copy.run({"evaluate", "batch-normalized"}).exit_code == 0);
    CHECK(copy.run({"export", "weights", "batch-normalized", "--format", "keras-h5", "--out",
                    (copy.store() / "reports" / "out.h5").string()})
              .exit_code == 0);
    CHECK(copy.run({"report", "smoke"}).exit_code == 0);
    CHECK(copy.run({"run", smoke_file(), "--ranks", "1", "--quiet"}).exit_code == 0);
    CHECK(read_text(folder / "final.h5") == weights);
}

TEST_CASE("gc keeps the checkpoint of a run whose results are not whole", "[end_to_end]") {
    const Copy copy;
    const fs::path folder = run_folder(copy.store(), "batch-normalized");
    fs::resize_file(folder / "predictions.h5", 10);
    CHECK(copy.run({"gc", "--yes"}).exit_code == 0);
    CHECK(fs::exists(folder / "checkpoint.h5"));
    CHECK_FALSE(fs::exists(run_folder(copy.store(), "three-classes") / "checkpoint.h5"));
}

TEST_CASE("What rm leaves after a crash is finished by gc", "[end_to_end]") {
    const Copy copy;
    const fs::path orphan = copy.store() / "runs" / "crashed-12345678";
    fs::create_directories(orphan);
    std::ofstream(orphan / "final.h5") << "weights";
    CHECK(copy.run({"gc", "--yes", "--keep", "orphan"}).exit_code == 0);
    CHECK(fs::exists(orphan));
    CHECK(copy.run({"gc", "--yes"}).exit_code == 0);
    CHECK_FALSE(fs::exists(orphan));
}

}  // namespace
}  // namespace lockstep::tests
