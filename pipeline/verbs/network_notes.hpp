#pragma once

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/rank_session.hpp"

namespace lockstep::pipeline {

// On stderr, in front of the results.
inline void tell_notes(const SavedNetwork& network) {
    for (const std::string& note : network.notes) tell_failure({kExitSuccess, note});
}

}  // namespace lockstep::pipeline
