#pragma once

#include <string>

namespace lockstep::pipeline {

std::string lockstep_version();  // "0.1.0"

}  // namespace lockstep::pipeline
