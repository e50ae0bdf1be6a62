#pragma once

// The page on which the ranks of one machine give their signs of life (liveness/pulse.hpp).

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "liveness/pulse.hpp"
#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/memory_file.hpp"
#include "trainer/exchange/shared_memory.hpp"

namespace lockstep::pipeline {

// A page of the process that starts ranks, to which those on this machine find by the environment.
class PulseFile {
public:
    // nullopt where the system gives no such memory: then the ranks have a page of their own.
    static std::optional<PulseFile> create(int ranks);

    // Sets the environment variable, for ranks that are started from now on, and forgets those
    // before.
    void offer();
    std::span<liveness::Pulse> pulses() const;  // [ranks]; zeros for those of other machines

private:
    PulseFile(trainer::MemoryFile file, trainer::FileMapping mapping)
        : file_(std::move(file)), mapping_(std::move(mapping)) {}

    trainer::MemoryFile file_;
    trainer::FileMapping mapping_;
};

// A rank's view of the page: while it lives, the signs of this process go there.
class PulsePage {
public:
    // Collective.
    explicit PulsePage(const trainer::Communicator& world);
    ~PulsePage();
    PulsePage(const PulsePage&) = delete;
    PulsePage& operator=(const PulsePage&) = delete;

    std::span<liveness::Pulse> pulses() const { return pulses_; }  // [ranks of the world]
    liveness::Pulse& own() const { return *own_; }
    // Whether this rank is the first of its machine to tell that the system refuses memory or
    // threads, in this job. True once.
    bool is_first_refusal() { return pulses_.front().is_refusal_told.exchange(1) == 0; }
    bool is_on_one_machine() const { return is_on_one_machine_; }  // all ranks of the world are
    // The process that started the ranks and looks at it; 0: none does. It may be gone by now.
    pid_t watcher() const { return watcher_; }

private:
    PulsePage(const trainer::Communicator& world, const trainer::Communicator& node);
    void join(const trainer::Communicator& world, const trainer::Communicator& node);

    std::optional<trainer::FileMapping> mapping_;  // of a PulseFile, of this process; else
    pid_t watcher_ = 0;
    std::optional<trainer::SharedMemory> shared_;  // the ranks' own; else this rank's alone:
    std::vector<liveness::Pulse> alone_;
    std::span<liveness::Pulse> pulses_;
    liveness::Pulse* own_ = nullptr;
    bool is_on_one_machine_ = true;
};

}  // namespace lockstep::pipeline
