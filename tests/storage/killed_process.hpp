#pragma once

#include <functional>

namespace lockstep::storage {

// Does `work` in a process of its own, which is killed as it enters its n-th system call, n from 1
// on: the calls before it are made, it and all after it are not. False if the work was done with
// fewer calls. Throws std::runtime_error if the work fails.
bool is_killed_at_call(int n, const std::function<void()>& work);

}  // namespace lockstep::storage
