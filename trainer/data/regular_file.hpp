#pragma once

// Inside trainer/data only: files of data, whose size is known before anything is read.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace lockstep::trainer {

// An opened file. Opening never waits, so a FIFO or a device is refused and not read without end.
// Throws DataError
//   missing   if there is no such file, or it cannot be opened
//   damaged   if it is no regular file, or cannot be read
class RegularFile {
public:
    explicit RegularFile(const std::filesystem::path& path);

    std::int64_t size() const { return size_; }  // bytes, when it was opened
    // The next bytes. Throws (damaged) if there are fewer of them.
    void read(std::span<std::uint8_t> bytes);

private:
    struct CloseFile {
        void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    };

    std::string path_;
    std::unique_ptr<std::FILE, CloseFile> file_;
    std::int64_t size_ = 0;
};

// "30,730,000"
std::string with_commas(std::int64_t number);

}  // namespace lockstep::trainer
