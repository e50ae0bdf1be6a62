// Lines of ranks on standard error beside what they print.

#include "pipeline/ranks/rank_lines.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

struct Pipe {
    int read_end = -1, write_end = -1;

    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        read_end = ends[0];
        write_end = ends[1];
    }
    ~Pipe() {
        ::close(read_end);
        ::close(write_end);
    }
    bool has_bytes(int milliseconds) const {
        pollfd source{read_end, POLLIN, 0};
        return ::poll(&source, 1, milliseconds) == 1;
    }
    std::string read() const {
        std::array<char, 4096> bytes{};
        const ssize_t count = ::read(read_end, bytes.data(), bytes.size());
        return {bytes.data(), static_cast<std::size_t>(count)};
    }
};

// Open MPI 5 puts an unfinished line of the one stream in front of the other's.
TEST_CASE("What a rank has printed is read before its supervisor is told of the end") {
    const Pipe output, errors;
    const pid_t rank = ::fork();
    if (rank == 0) {
        ::dup2(output.write_end, STDOUT_FILENO);
        ::dup2(errors.write_end, STDERR_FILENO);
        std::fputs("a table without its last", stdout);
        tell_supervisor(end_line(0));
        ::_exit(0);
    }
    REQUIRE(rank > 0);
    REQUIRE(output.has_bytes(60'000));
    CHECK_FALSE(errors.has_bytes(50));
    CHECK(output.read() == "a table without its last");
    REQUIRE(errors.has_bytes(60'000));
    // On a line of its own, should something stand before it all the same.
    CHECK(errors.read() == "\n" + end_line(0) + "\n");
    int status = -1;
    CHECK(::waitpid(rank, &status, 0) == rank);
    CHECK(status == 0);
}

}  // namespace
}  // namespace lockstep::pipeline
