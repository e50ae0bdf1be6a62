#pragma once

#include <hwy/highway.h>

#include "tests/support/catch.hpp"

namespace lockstep::tests {

// check() on each instruction set this machine has and Lockstep is built for.
template <class Check>
void on_every_target(Check check) {
    for (const auto target : hwy::SupportedAndGeneratedTargets()) {
        hwy::SetSupportedTargetsForTest(target);
        INFO(hwy::TargetName(static_cast<decltype(HWY_TARGET)>(target)));
        check();
    }
    hwy::SetSupportedTargetsForTest(0);
}

}  // namespace lockstep::tests
