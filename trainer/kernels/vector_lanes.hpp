#pragma once

namespace lockstep::trainer {

// Lanes of a float vector on the instruction set in use: the block of channels that kernels of our
// own take.
int vector_lanes();

}  // namespace lockstep::trainer
