#include <set>
#include <stdexcept>
#include <string>

#include "pipeline/care/findings.hpp"
#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/stray_files.hpp"
#include "pipeline/training/run_lock.hpp"
#include "tests/pipeline/fake_machine.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using tests::FakeMachine;

TEST_CASE("Without repairs nothing is mended; with them each finding is at once", "[pipeline]") {
    int mended = 0;
    Findings reports_only(false);
    CHECK_FALSE(reports_only.report(Severity::warning, "a", "b", "c", [&] { ++mended; }));
    CHECK(mended == 0);
    CHECK_FALSE(reports_only.is_sound());
    Findings repairs(true);
    CHECK(repairs.report(Severity::error, "a", "b", "c", [&] { ++mended; }));
    repairs.report(Severity::note, "a", "n");
    CHECK(mended == 1);
    CHECK(repairs.is_sound());
    CHECK_FALSE(repairs.report(Severity::error, "a", "b", "c",
                               [] { throw std::runtime_error("the disk is full"); }));
    CHECK_FALSE(repairs.is_sound());
    CHECK(findings_table(repairs.all(), true).columns.size() == 5);
}

TEST_CASE("Nothing in lost+found is overwritten", "[pipeline]") {
    const FakeMachine folder;
    const auto store = storage::RunStore::open(folder.root());
    for (const char* text : {"one", "two", "three"}) {
        folder.put("runs/x/odd", text);
        move_to_lost_and_found(store, folder.root() / "runs/x/odd");
    }
    CHECK(fs::exists(folder.root() / "lost+found/runs/x/odd"));
    CHECK(fs::exists(folder.root() / "lost+found/runs/x/odd.1"));
    CHECK(fs::exists(folder.root() / "lost+found/runs/x/odd.2"));
}

TEST_CASE("Links are not followed when a store is searched", "[pipeline]") {
    const FakeMachine elsewhere;
    elsewhere.put("precious", std::string(1000, 'x'));
    const FakeMachine folder;
    folder.put("runs/known/final.h5", "weights");
    fs::create_directory_symlink(elsewhere.root(), folder.root() / "runs/link");
    const auto found = stray_files(storage::RunStore::open(folder.root()), [] {
        return std::set<std::string>{"known", "link"};
    });
    REQUIRE(found.size() == 1);
    CHECK(found.front().kind == StrayKind::unknown);
    CHECK(found.front().path.filename() == "link");
    CHECK(found.front().bytes == 0);
}

TEST_CASE("The holder of a run is told, and asking makes no file", "[pipeline]") {
    const tests::TemporaryDirectory folder;
    CHECK(holder_of(folder.path()) == RunHolder::nobody);
    CHECK(fs::is_empty(folder.path()));
    {
        const RunLock lock = RunLock::require(folder.path());
        CHECK(holder_of(folder.path()) == RunHolder::somebody);
    }
    CHECK(holder_of(folder.path()) == RunHolder::nobody);
}

}  // namespace
}  // namespace lockstep::pipeline
