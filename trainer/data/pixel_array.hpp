#pragma once

// The pixels of a split: bytes that never change once they are there, and that the ranks of a node
// read from one place in memory where the system allows it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "trainer/exchange/memory_file.hpp"

namespace lockstep::trainer {

// A view with an owner: copies are cheap and see the same bytes.
class PixelArray {
public:
    PixelArray() = default;
    PixelArray(std::vector<std::uint8_t> pixels);  // this process's own

    // Those of another process; nullopt if they cannot be reached.
    static std::optional<PixelArray> at(const MemoryFile::Address& address, std::size_t size);
    // Where other processes of the machine find them while this one has them. Its descriptor is -1
    // where they cannot.
    MemoryFile::Address address() const;

    const std::uint8_t* data() const { return bytes_.data(); }
    std::size_t size() const { return bytes_.size(); }
    const std::uint8_t* begin() const { return data(); }
    const std::uint8_t* end() const { return data() + size(); }
    std::uint8_t operator[](std::size_t i) const { return bytes_[i]; }

private:
    friend class PixelWriter;
    struct InFile {
        MemoryFile file;
        FileMapping mapping;
    };
    PixelArray(MemoryFile file, FileMapping mapping);

    std::shared_ptr<const std::vector<std::uint8_t>> own_;  // either this
    std::shared_ptr<const InFile> in_file_;                 // or this
    std::span<const std::uint8_t> bytes_;
};

// Writes the pixels of a split, from the first to the last: into a file in memory, or into memory
// of this process alone where the system has no such files.
class PixelWriter {
public:
    explicit PixelWriter(std::size_t size);  // bytes

    void append(std::span<const std::uint8_t> pixels);  // throws std::bad_alloc
    // All that was appended. Throws std::bad_alloc.
    PixelArray finish() &&;

private:
    std::optional<MemoryFile> file_;
    std::size_t written_ = 0;        // into file_
    std::vector<std::uint8_t> own_;  // where there is no file
};

}  // namespace lockstep::trainer
