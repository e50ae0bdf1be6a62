#pragma once

// Ranks of one job are one program: another build, or another oneDNN below it, computes other bits
// without a word.

#include <string>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// "lockstep 0.1.0 (build 3f1c...), oneDNN 2.6.3, Open MPI v4.1.4": equal where nothing differs.
std::string build_identity();

// Throws AgreedFailure (kExitUnavailable) if some rank's differs from rank 0's, with both and their
// hosts. Collective.
void require_one_build(const trainer::Communicator& world);

}  // namespace lockstep::pipeline
