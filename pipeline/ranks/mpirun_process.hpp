#pragma once

// mpirun as a child of this process.

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace lockstep::pipeline {

inline constexpr int kProgramNotStarted = 127;  // what a shell says for it too

// A file descriptor, closed at the end of its scope.
class Descriptor {
public:
    explicit Descriptor(int value = -1) : value_(value) {}
    ~Descriptor() { close(); }
    Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return value_; }
    void close();

private:
    int value_;
};

struct Pipe {
    Descriptor read_end;
    Descriptor write_end;
};
// Throws Failure (kExitSystem).
Pipe make_pipe();

// Starts a command, from its name on, as a process group of its own: nothing to read, its errors to
// `standard_error`, no signal blocked or ignored but a hangup under nohup, and USR1 should this
// process die. Sets the variables by which Open MPI runs well.
//   is_local   no rank will be on another machine
// Throws Failure (kExitSystem).
pid_t start_mpirun(const std::vector<std::string>& command, int standard_error, bool is_local);

}  // namespace lockstep::pipeline
