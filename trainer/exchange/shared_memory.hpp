#pragma once

// Memory that all ranks of one node see.

#include <cstddef>
#include <optional>
#include <span>

#include "trainer/exchange/communicator.hpp"

namespace lockstep::trainer {

// Owns this process' mapping of it. It has no name in any file system: it is gone with the last
// rank that maps it, however that one ends.
class SharedMemory {
public:
    // Maps `bytes` zero bytes, the same memory on every rank, page-aligned. Collective.
    // Returns nullopt on every rank if the ranks are not all on one node, or if any of them cannot
    // map it (no memory left, processes hidden from each other by containers).
    // Throws CommError if MPI fails.
    static std::optional<SharedMemory> map(const Communicator& comm, std::size_t bytes);

    ~SharedMemory();
    SharedMemory(SharedMemory&& other) noexcept;
    SharedMemory& operator=(SharedMemory&&) = delete;
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    std::span<std::byte> bytes() const { return bytes_; }

private:
    explicit SharedMemory(std::span<std::byte> bytes) : bytes_(bytes) {}

    std::span<std::byte> bytes_;
};

}  // namespace lockstep::trainer
