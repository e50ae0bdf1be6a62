#pragma once

// What the system must allow before ranks can be started (setrlimit(2)), and have room for.

namespace lockstep::pipeline {

// Raises the limit on open files as far as that many ranks need, and Failure kExitSystem where it
// may not be raised that far: with fewer mpirun does not fail, but waits for ever. Likewise where
// no file may be as long as those that Open MPI shares between processes: it ends a process that
// cannot make one, without a word on why. kExitInputOutput where its folder for temporary files has
// no room for them, by which it ends the same way, or waits.
void require_limits(int ranks);

}  // namespace lockstep::pipeline
