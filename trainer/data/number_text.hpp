#pragma once

// Inside trainer/data only: sizes of files in messages.

#include <cstdint>
#include <string>

namespace lockstep::trainer {

// "30,730,000"
std::string with_commas(std::int64_t number);

}  // namespace lockstep::trainer
