#pragma once

// What the system must allow before ranks can be started (setrlimit(2)).

namespace lockstep::pipeline {

// Raises the limit on open files as far as that many ranks need, and Failure kExitSystem where it
// may not be raised that far: with fewer mpirun does not fail, but waits for ever. Likewise where
// no file may be as long as those that Open MPI shares between processes: it ends a process that
// cannot make one, without a word on why.
void require_limits(int ranks);

}  // namespace lockstep::pipeline
