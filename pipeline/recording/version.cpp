#include "pipeline/recording/version.hpp"

namespace lockstep::pipeline {

std::string lockstep_version() { return LOCKSTEP_VERSION; }

}  // namespace lockstep::pipeline
