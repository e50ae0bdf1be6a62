#pragma once

#include <filesystem>
#include <optional>

namespace lockstep::pipeline {

// A second witness beside the claim in the database, and a faster one: the kernel gives the lock
// back when its process ends, however that happens.
class RunLock {
public:
    // Nothing if another process holds it. Throws Failure (kExitCannotCreate) if its file cannot be
    // made.
    static std::optional<RunLock> take(const std::filesystem::path& run_folder);
    // Throws Failure (kExitCannotCreate) as well where another process holds it.
    static RunLock require(const std::filesystem::path& run_folder);
    ~RunLock();
    RunLock(RunLock&& other) noexcept;
    RunLock& operator=(RunLock&& other) noexcept;

    // False where the file system offers no locks: then the claim alone protects the run.
    bool is_held() const { return is_held_; }

private:
    RunLock(int descriptor, bool is_held) : descriptor_(descriptor), is_held_(is_held) {}
    int descriptor_;
    bool is_held_;
};

// Whether somebody trains the run of this folder. Nothing is made there.
enum class RunHolder { nobody, somebody, not_told };  // not_told: no locks on this file system
RunHolder holder_of(const std::filesystem::path& run_folder);

}  // namespace lockstep::pipeline
