#pragma once

// Files without a name that lie in memory: how processes of one machine come to see the same pages.
// Such a file is gone with the last process that has it open or mapped, however that one ends.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lockstep::trainer {

// Owns a mapping of a file into this process.
class FileMapping {
public:
    explicit FileMapping(std::span<std::byte> mapped) : bytes_(mapped) {}
    ~FileMapping();
    FileMapping(FileMapping&& other) noexcept;
    FileMapping& operator=(FileMapping&&) = delete;
    FileMapping(const FileMapping&) = delete;
    FileMapping& operator=(const FileMapping&) = delete;

    std::span<std::byte> bytes() const { return bytes_; }  // page-aligned

private:
    std::span<std::byte> bytes_;
};

class MemoryFile {
public:
    // Where other processes of this machine find the file while its maker has it open, and which
    // file they must then find there. May travel as bytes.
    struct Address {
        std::int64_t process = 0;
        std::int64_t descriptor = -1;  // -1: there is no file
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
    };

    // An empty file for at most so many bytes. nullopt where the system refuses it.
    static std::optional<MemoryFile> create(std::size_t most_bytes);
    // nullopt if no file can be reached at the address, or another one.
    static std::optional<MemoryFile> open_to_read(const Address& address);
    static std::optional<MemoryFile> open_to_write(const Address& address);

    ~MemoryFile();
    MemoryFile(MemoryFile&& other) noexcept;
    MemoryFile& operator=(MemoryFile&&) = delete;
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;

    Address address() const;
    // Takes all pages of a file of so many zero bytes: running out of them later would be a fatal
    // signal. Returns whether there were enough.
    bool fill_with_zeros(std::size_t bytes);
    // Adds to its end; much faster than writing to a mapping, as no page is cleared first. Returns
    // whether there was memory for it.
    bool append(std::span<const std::byte> bytes);
    // The first `bytes`, at least one. nullopt where the system refuses it.
    std::optional<FileMapping> map_to_read(std::size_t bytes) const;   // pages come when touched
    std::optional<FileMapping> map_to_write(std::size_t bytes) const;  // with all pages

private:
    explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
    static std::optional<MemoryFile> open(const Address& address, int access);
    std::optional<FileMapping> map(std::size_t bytes, int protection, int flags) const;

    int descriptor_;
};

}  // namespace lockstep::trainer
