#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep::trainer {

// The number of a class, from 0, as data sets and samples keep it.
using Label = std::uint16_t;
inline constexpr std::size_t kMostClasses = 65'535;

}  // namespace lockstep::trainer
