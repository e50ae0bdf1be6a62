#pragma once

#include <cstdint>

namespace lockstep::trainer {

// Memory of this process, in bytes, as the kernel counts it.
struct ResidentMemory {
    std::int64_t now = 0;    // VmRSS: pages that are there, those shared with other ranks too
    std::int64_t peak = 0;   // VmHWM: the most that they were
    std::int64_t share = 0;  // Pss: a page that n processes map counts as 1 / n
};

// 0 where the kernel does not tell.
ResidentMemory resident_memory();

// From now on `peak` is the most since now, where the kernel allows it.
void forget_peak_memory();

}  // namespace lockstep::trainer
