#pragma once

#include "pipeline/care/findings.hpp"
#include "pipeline/ranks/mpi_leftovers.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {

// Looks at everything in a store, and mends it where `findings` repairs: the database first, then
// every run, then what lies there and belongs to nothing. What MPI left on this machine is told,
// and never touched: nothing outside of the store is. A database that cannot be read ends it: whose
// the files are is not known then. Throws StorageError (io, no_permission).
void check_store(const storage::RunStore& store, const MpiPlaces& places, Findings& findings);

}  // namespace lockstep::pipeline
