#include "pipeline/ranks/mpi_leftovers.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/pipeline/fake_machine.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using tests::FakeMachine;

// A machine with folders of its own; nothing of the real one is looked at.
class FakeLeftovers {
public:
    FakeLeftovers() {
        put_namespace("pid:[4026531836]");
        put_process("100", "100");
    }
    MpiPlaces places() const {
        return {root() / "proc", root() / "shm", root() / "tmp", "node", ::geteuid()};
    }
    void put_namespace(const std::string& name) const {
        fs::create_directories(root() / "proc/self/ns");
        fs::remove(root() / "proc/self/ns/pid");
        fs::create_symlink(name, root() / "proc/self/ns/pid");
    }
    // `numbers`: that it has in the name spaces it is in; `mapped`: a file of shared memory.
    void put_process(const std::string& pid, const std::string& numbers,
                     const fs::path& mapped = {}) const {
        const std::string map = "7f00-7f01 rw-s 00000000 00:16 5  " + mapped.string() + "\n";
        machine_.put("proc/" + pid + "/maps", mapped.empty() ? "" : map);
        machine_.put("proc/" + pid + "/status", "Name:\tx\nNSpid:\t" + numbers + "\n");
    }
    // Of a machine that began an hour ago; `ago`: when the process did, of now.
    void put_start(const std::string& pid, const std::string& name,
                   std::chrono::seconds ago) const {
        constexpr std::chrono::hours kUptime{1};
        const auto boot = std::chrono::system_clock::now() - kUptime;
        const auto seconds =
            std::chrono::duration_cast<std::chrono::seconds>(boot.time_since_epoch());
        machine_.put("proc/stat", "cpu 1 2 3\nbtime " + std::to_string(seconds.count()) + "\n");
        machine_.put("proc/" + pid + "/status", "Name:\t" + name + "\nNSpid:\t" + pid + "\n");
        std::string fields = " S";
        for (int field = 4; field < 22; ++field) fields += " 0";
        const long ticks = (kUptime + ago) / std::chrono::seconds(1) * ::sysconf(_SC_CLK_TCK);
        machine_.put("proc/" + pid + "/stat",
                     pid + " (a) b)" + fields + " " + std::to_string(ticks) + " 0\n");
    }
    static std::string user() { return std::to_string(::geteuid()); }
    fs::path segment(const std::string& name) const {
        machine_.put("shm/" + name, "1234");
        return aged(root() / "shm" / name);
    }
    static void put_file(const fs::path& path) { std::ofstream(path) << "1"; }
    fs::path session(const std::string& name) const {
        fs::create_directories(root() / "tmp" / name / "0");
        return aged(root() / "tmp" / name);
    }
    static fs::path aged(const fs::path& path) {
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(1));
        return path;
    }
    bool is_left(const fs::path& path) const {
        const auto found = mpi_leftovers(places());
        return std::ranges::find(found, path) != found.end();
    }

private:
    const fs::path& root() const { return machine_.root(); }
    FakeMachine machine_;
};

TEST_CASE("Sessions of an mpirun that has gone are left over, those of others are not") {
    const FakeLeftovers machine;
    const std::string user = FakeLeftovers::user();
    const std::string folder = "ompi.node." + user;
    CHECK(machine.is_left(machine.session(folder + "/pid.999")));
    CHECK(machine.is_left(machine.session("prte.node.999." + user)));
    const fs::path job = machine.session(folder + "/jf.7");
    CHECK_FALSE(machine.is_left(job));
    fs::remove(job / "0");
    CHECK(machine.is_left(FakeLeftovers::aged(job)));
    CHECK_FALSE(machine.is_left(machine.session(folder + "/pid.100")));
    CHECK_FALSE(machine.is_left(machine.session("prte.node.100." + user)));
    CHECK_FALSE(machine.is_left(machine.session("ompi.other." + user + "/pid.999")));
    CHECK_FALSE(machine.is_left(machine.session(folder + "/pid.999x")));
    CHECK_FALSE(machine.is_left(machine.session("prte.node.abc." + user)));
    CHECK_FALSE(machine.is_left(machine.session("prte.node." + user)));
    for (const std::string program : {"prterun", "prted"}) {
        CHECK(machine.is_left(machine.session(program + ".node.999." + user)));
        CHECK_FALSE(machine.is_left(machine.session(program + ".node.100." + user)));
    }
}

TEST_CASE("The folder of a process without mpirun is left over once nobody has its segment") {
    const FakeLeftovers machine;
    const std::string user = FakeLeftovers::user();
    const fs::path job = machine.session("ompi.node." + user + "/jf.0/1914241024");
    const fs::path segment = machine.segment("sm_segment.node." + user + ".72190000.0");
    machine.put_process("200", "200", segment);
    CHECK_FALSE(machine.is_left(job));
    machine.put_process("200", "200", machine.segment("sm_segment.node." + user + ".72190001.0"));
    CHECK(machine.is_left(job));
    FakeLeftovers::put_file(job / "0" / "window");
    CHECK_FALSE(machine.is_left(FakeLeftovers::aged(job)));
}

TEST_CASE("The empty folder of this process without mpirun goes when MPI has ended") {
    const FakeLeftovers machine;
    const std::string user = FakeLeftovers::user();
    const fs::path job = machine.session("ompi.node." + user + "/jf.0/1914241024");
    machine.put_process("self", "7", machine.segment("sm_segment.node." + user + ".72190000.0"));
    {
        OwnMpiSession own(machine.places());
        own.note();
    }
    CHECK(fs::exists(job / "0"));  // MPI has not ended
    {
        OwnMpiSession own(machine.places());
        own.note();
        fs::remove(job / "0");
    }
    CHECK_FALSE(fs::exists(job.parent_path().parent_path()));
    machine.session("ompi.node." + user + "/jf.0/1914241024");
    const fs::path other = machine.session("ompi.node." + user + "/jf.0/5");
    {
        OwnMpiSession own(machine.places());
        own.note();
        fs::remove(job / "0");
    }
    CHECK_FALSE(fs::exists(job));
    CHECK(fs::exists(other));
}

TEST_CASE("The folder of all sessions stays from one sweep to the next, and goes with the last") {
    const FakeLeftovers machine;
    const fs::path sessions = machine.places().sessions / ("ompi.node." + FakeLeftovers::user());
    fs::create_directories(sessions.parent_path());
    CHECK(machine.is_left(machine.session(sessions.filename() / "lockstep.999")));
    CHECK_FALSE(machine.is_left(machine.session(sessions.filename() / "lockstep.100")));
    fs::remove_all(sessions);
    {
        const pipeline::MpiSweep sweep(machine.places());
        std::error_code error;
        CHECK_FALSE(fs::remove(sessions, error));  // as a job does that ends
        CHECK(error == std::errc::directory_not_empty);
    }
    CHECK_FALSE(fs::exists(sessions));
}

TEST_CASE("With the last job of processes without mpirun the folders above it go, in one sweep") {
    const FakeLeftovers machine;
    const fs::path sessions = machine.places().sessions / ("ompi.node." + FakeLeftovers::user());
    const fs::path job = machine.session(sessions.filename() / "jf.0/5");
    const fs::path other = machine.session(sessions.filename() / "jf.0/6");
    FakeLeftovers::put_file(other / "0" / "window");
    { const pipeline::MpiSweep sweep(machine.places()); }
    CHECK_FALSE(fs::exists(job));
    CHECK(fs::exists(other));
    fs::remove(other / "0" / "window");
    FakeLeftovers::aged(other);
    { const pipeline::MpiSweep sweep(machine.places()); }
    CHECK_FALSE(fs::exists(sessions));
}

TEST_CASE("A number that came again keeps no folder, but where it may be its maker's") {
    const FakeLeftovers machine;
    const fs::path session = machine.session("ompi.node." + FakeLeftovers::user() + "/pid.200");
    CHECK(machine.is_left(session));
    machine.put_process("200", "200");
    CHECK_FALSE(machine.is_left(session));  // nobody tells when it began
    machine.put_start("200", "bash", std::chrono::seconds(-90));
    CHECK_FALSE(machine.is_left(session));
    machine.put_start("200", "bash", std::chrono::seconds(-30));
    CHECK(machine.is_left(session));
    machine.put_start("200", "mpirun.openmpi", std::chrono::seconds(-30));
    CHECK_FALSE(machine.is_left(session));
    machine.put_start("200", "orted", std::chrono::seconds(-30));
    CHECK_FALSE(machine.is_left(session));
}

TEST_CASE("An empty folder of a job that is being made is none that is left") {
    const FakeLeftovers machine;
    const fs::path job = machine.session("ompi.node." + FakeLeftovers::user() + "/jf.7");
    fs::remove(job / "0");  // at this moment
    CHECK_FALSE(machine.is_left(job));
    fs::last_write_time(job, fs::file_time_type::clock::now() - std::chrono::seconds(2));
    CHECK(machine.is_left(job));
}

TEST_CASE("Segments that nobody has mapped are left over") {
    const FakeLeftovers machine;
    const std::string user = FakeLeftovers::user();
    const fs::path segment = machine.segment("vader_segment.node." + user + ".4b070001.2");
    CHECK(machine.is_left(segment));
    CHECK(machine.is_left(machine.segment("sm_segment.node." + user + ".102e0000.0")));
    CHECK(machine.is_left(machine.segment("osc_sm.node.102e0000.1.0")));
    CHECK_FALSE(machine.is_left(machine.segment("sm_segment.other." + user + ".102e0000.0")));
    CHECK_FALSE(machine.is_left(machine.segment("another-program." + user)));
    machine.put_process("200", "200", segment);
    CHECK_FALSE(machine.is_left(segment));
    machine.put_process("200", "200");
    CHECK(machine.is_left(segment));
    fs::last_write_time(segment, fs::file_time_type::clock::now());
    CHECK_FALSE(machine.is_left(segment));  // it may be about to be mapped
}

TEST_CASE("A segment that this process has mapped is in use on the real machine") {
    const FakeLeftovers machine;
    const fs::path segment =
        machine.segment("vader_segment.node." + FakeLeftovers::user() + ".4b070001.2");
    MpiPlaces places = machine.places();
    places.proc = "/proc";
    const int file = ::open(segment.c_str(), O_RDWR);
    void* const memory = ::mmap(nullptr, 4, PROT_READ, MAP_SHARED, file, 0);
    REQUIRE(memory != MAP_FAILED);
    CHECK(std::ranges::count(mpi_leftovers(places), segment) == 0);
    ::munmap(memory, 4);
    ::close(file);
}

TEST_CASE("A job in a container, whose mpirun has another number here, keeps its folder") {
    const FakeLeftovers machine;
    const fs::path session = machine.session("ompi.node." + FakeLeftovers::user() + "/pid.7");
    CHECK(machine.is_left(session));
    machine.put_process("200", "200 7");
    CHECK_FALSE(machine.is_left(session));
}

TEST_CASE("In a container, which sees its own processes alone, nothing is left over") {
    const FakeLeftovers machine;
    const fs::path session = machine.session("ompi.node." + FakeLeftovers::user() + "/pid.999");
    const fs::path segment =
        machine.segment("sm_segment.node." + FakeLeftovers::user() + ".102e0000.0");
    machine.put_namespace("pid:[4026532999]");
    CHECK_FALSE(machine.is_left(session));
    CHECK_FALSE(machine.is_left(segment));
}

TEST_CASE("Where nothing is, nothing is left over") {
    CHECK(mpi_leftovers({"/proc", "/nowhere", "/nowhere", "x", 0}).empty());
}

}  // namespace
}  // namespace lockstep::pipeline
