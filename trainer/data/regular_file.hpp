#pragma once

// Inside trainer/data only: files of data, whose size is known before anything is read.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

namespace lockstep::trainer {

// An opened file. Opening never waits, so a FIFO or a device is refused and not read without end.
// Throws DataError
//   missing      if there is no such file, or it cannot be opened
//   damaged      if it is no regular file
//   unreadable   if the disk reports an error
class RegularFile {
public:
    explicit RegularFile(const std::filesystem::path& path);

    std::int64_t size() const { return size_; }  // bytes, when it was opened
    // The next bytes. Throws (damaged) if there are fewer of them, too.
    void read(std::span<std::uint8_t> bytes);

private:
    class Descriptor {
    public:
        explicit Descriptor(int number) : number_(number) {}
        ~Descriptor();
        Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
        Descriptor& operator=(Descriptor&&) = delete;
        int get() const { return number_; }

    private:
        int number_;  // below 0: none
    };

    std::string path_;
    Descriptor file_;
    std::int64_t size_ = 0;
};

}  // namespace lockstep::trainer
