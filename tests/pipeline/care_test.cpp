#include <unistd.h>

#include <chrono>
#include <string>

#include "pipeline/care/findings.hpp"
#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/mpi_leftovers.hpp"
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
    const auto found = stray_files(storage::RunStore::open(folder.root()), {"known", "link"});
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

// A machine with folders of its own; nothing of the real one is looked at.
class FakeLeftovers {
public:
    FakeLeftovers() {
        fs::create_directories(root() / "proc/self/ns");
        fs::create_symlink("pid:[4026531836]", root() / "proc/self/ns/pid");
        put_process("100", "100",
                    "7f00-7f01 rw-s 00000000 00:16 5 " + (root() / "dev/shm").string() +
                        "/sm_segment.node.U.a.0\n");
    }
    const fs::path& root() const { return machine_.root(); }
    LeftoverPlaces places() const {
        return {root() / "proc", root() / "dev/shm", root() / "tmp", "node", ::geteuid()};
    }
    void put_process(const std::string& pid, const std::string& numbers, std::string maps) const {
        const std::size_t user = maps.find(".U.");
        if (user != std::string::npos) maps.replace(user + 1, 1, std::to_string(::geteuid()));
        machine_.put("proc/" + pid + "/maps", maps);
        machine_.put("proc/" + pid + "/status", "Name:\tx\nNSpid:\t" + numbers + "\n");
    }
    std::string user() const { return std::to_string(::geteuid()); }
    void put_segment(const std::string& name, bool is_old = true) const {
        machine_.put("dev/shm/" + name, "1234");
        if (is_old) make_old("dev/shm/" + name);
    }
    void put_session(const std::string& name) const {
        machine_.put("tmp/ompi.node." + user() + "/" + name + "/contact.txt", "x");
        make_old("tmp/ompi.node." + user() + "/" + name);
    }

private:
    void make_old(const std::string& file) const {
        fs::last_write_time(root() / file,
                            fs::file_time_type::clock::now() - std::chrono::minutes(5));
    }
    FakeMachine machine_;
};

TEST_CASE("Leftovers of MPI: dead, old, of this user and host", "[pipeline]") {
    const FakeLeftovers machine;
    const std::string user = machine.user();
    machine.put_segment("sm_segment.node." + user + ".a.0");            // mapped by 100
    machine.put_segment("sm_segment.node." + user + ".b.0");            // dead
    machine.put_segment("vader_segment.node." + user + ".c.0", false);  // young
    machine.put_segment("sm_segment.other." + user + ".d.0");           // another host's
    machine.put_segment("something." + user);
    machine.put_process("200", "200 7", "");  // number 7 in a container
    machine.put_session("pid.100");           // lives
    machine.put_session("pid.7");             // lives, under its number in the container
    machine.put_session("pid.999");           // dead
    const auto found = mpi_leftovers(machine.places());
    REQUIRE(found.size() == 2);
    CHECK(found[0].path.filename() == "sm_segment.node." + user + ".b.0");
    CHECK(found[1].path.filename() == "pid.999");
}

TEST_CASE("In a container that sees only its own processes nothing is told to be dead",
          "[pipeline]") {
    const FakeLeftovers machine;
    machine.put_session("pid.999");
    fs::remove(machine.root() / "proc/self/ns/pid");
    fs::create_symlink("pid:[4026532999]", machine.root() / "proc/self/ns/pid");
    CHECK(mpi_leftovers(machine.places()).empty());
}

}  // namespace
}  // namespace lockstep::pipeline
