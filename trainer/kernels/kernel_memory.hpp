#pragma once

#include <exception>

namespace lockstep::trainer {

// Whether it is oneDNN's way to say that the system refused it memory.
bool is_want_of_memory(const std::exception& error);

}  // namespace lockstep::trainer
