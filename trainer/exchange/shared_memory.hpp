#pragma once

// Memory that all ranks of one node see.

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "trainer/exchange/communicator.hpp"
#include "trainer/exchange/memory_file.hpp"

namespace lockstep::trainer {

// Owns this process' mapping of it. It is gone with the last rank that maps it.
class SharedMemory {
public:
    // Maps `bytes` zero bytes, the same memory on every rank, page-aligned. Collective.
    // Returns nullopt on every rank if the ranks are not all on one node, or if any of them cannot
    // map it (no memory left, processes hidden from each other by containers).
    // Throws CommError if MPI fails.
    static std::optional<SharedMemory> map(const Communicator& comm, std::size_t bytes);

    std::span<std::byte> bytes() const { return mapping_.bytes(); }

private:
    explicit SharedMemory(FileMapping mapping) : mapping_(std::move(mapping)) {}

    FileMapping mapping_;
};

}  // namespace lockstep::trainer
