#pragma once

#include <filesystem>

namespace lockstep::pipeline {

// The right to train one run. The kernel gives it back when its process ends, however that
// happens, so a run that says `running` without this lock is dead.
class RunLock {
public:
    // Throws Failure (kExitCannotCreate) if another process holds it.
    explicit RunLock(const std::filesystem::path& run_folder);
    ~RunLock();
    RunLock(const RunLock&) = delete;
    RunLock& operator=(const RunLock&) = delete;

private:
    int descriptor_;
};

// Whether somebody trains the run of this folder. Nothing is made there.
enum class RunHolder { nobody, somebody, not_told };  // not_told: no locks on this file system
RunHolder holder_of(const std::filesystem::path& run_folder);

}  // namespace lockstep::pipeline
