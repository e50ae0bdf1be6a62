#include "pipeline/ranks/mpi_leftovers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

pid_t ended_process() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
}

class Places {
public:
    Places() { fs::create_directories(folder_ / "shm"); }
    MpiPlaces places() const {
        return {.sessions = folder_ / "tmp",
                .shared_memory = folder_ / "shm",
                .host = "node1",
                .user = ::geteuid()};
    }
    fs::path session(const std::string& name) const {
        fs::create_directories(folder_ / "tmp" / name / "0");
        return aged(folder_ / "tmp" / name);
    }
    fs::path segment(const std::string& name) const {
        std::ofstream(folder_ / "shm" / name) << "bytes";
        return aged(folder_ / "shm" / name);
    }
    static fs::path aged(const fs::path& path) {
        fs::last_write_time(path, fs::file_time_type::clock::now() - std::chrono::minutes(1));
        return path;
    }
    bool is_left(const fs::path& path) const {
        const auto found = mpi_leftovers(places());
        return std::find(found.begin(), found.end(), path) != found.end();
    }

private:
    tests::TemporaryDirectory folder_;
};

TEST_CASE("Sessions of an mpirun that has gone are left over, those of others are not") {
    const Places places;
    const std::string gone = std::to_string(ended_process());
    const std::string here = std::to_string(::getpid());
    const std::string user = fmt::format("{}", ::geteuid());
    CHECK(places.is_left(places.session("ompi.node1." + user + "/pid." + gone)));
    CHECK(places.is_left(places.session("prte.node1." + gone + "." + user)));
    const fs::path job = places.session("ompi.node1." + user + "/jf.7");
    CHECK_FALSE(places.is_left(job));
    fs::remove(job / "0");
    CHECK(places.is_left(Places::aged(job)));
    CHECK_FALSE(places.is_left(places.session("ompi.node1." + user + "/pid." + here)));
    CHECK_FALSE(places.is_left(places.session("prte.node1." + here + "." + user)));
    CHECK_FALSE(places.is_left(places.session("ompi.node2." + user + "/pid." + gone)));
    CHECK_FALSE(places.is_left(places.session("ompi.node1." + user + "/pid." + gone + "x")));
    CHECK_FALSE(places.is_left(places.session("prte.node1.abc." + user)));
}

TEST_CASE("Segments that nobody has mapped are left over") {
    const Places places;
    const std::string owner = fmt::format("{:x}", ::geteuid());
    const fs::path segment = places.segment("vader_segment.node1." + owner + ".4b070001.2");
    CHECK(places.is_left(segment));
    CHECK(places.is_left(places.segment("sm_segment.node1." + owner + ".102e0000.0")));
    CHECK_FALSE(places.is_left(places.segment("sm_segment.node2." + owner + ".102e0000.0")));
    CHECK_FALSE(places.is_left(places.segment("another-program." + owner)));

    const int file = ::open(segment.c_str(), O_RDWR);
    void* const memory = ::mmap(nullptr, 4, PROT_READ, MAP_SHARED, file, 0);
    REQUIRE(memory != MAP_FAILED);
    CHECK_FALSE(places.is_left(segment));
    ::munmap(memory, 4);
    ::close(file);
    CHECK(places.is_left(segment));
    fs::last_write_time(segment, fs::file_time_type::clock::now());
    CHECK_FALSE(places.is_left(segment));  // it may be about to be mapped
}

TEST_CASE("Where nothing is, nothing is left over") {
    CHECK(
        mpi_leftovers({.sessions = "/nowhere", .shared_memory = "/nowhere", .host = "x", .user = 0})
            .empty());
}

}  // namespace
}  // namespace lockstep::pipeline
