#pragma once

#include <filesystem>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// Groups of ranks that train side by side each write into the store: a host that does not share it
// would leave half of the runs elsewhere. Rank 0 writes a file that every rank must find.
// Throws AgreedFailure (kExitCannotCreate) with the host that does not. Collective.
void require_shared_store(const std::filesystem::path& store, const trainer::Communicator& world);

}  // namespace lockstep::pipeline
