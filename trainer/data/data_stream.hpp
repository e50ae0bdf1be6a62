#pragma once

// Inside trainer/data only: a file of data from its first byte to its last, packed by gzip or not.
// Which of the two is told by its first bytes.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

class Inflater;

// Throws DataError: as RegularFile; damaged for a packed file that is cut off, fails its check sum
// or has something behind its end.
class DataStream {
public:
    explicit DataStream(const std::filesystem::path& path);
    ~DataStream();
    DataStream(DataStream&& other) noexcept;
    DataStream& operator=(DataStream&&) = delete;

    const std::string& path() const { return path_; }
    bool is_packed() const { return inflater_ != nullptr; }
    std::int64_t file_size() const { return file_.size(); }  // bytes on the disk
    // Whether so many bytes can come out of the file, by its size alone.
    bool can_hold(std::int64_t bytes) const;

    // The next bytes; throws (damaged) if there are fewer.
    void read(std::span<std::uint8_t> bytes);
    // Throws (damaged) unless everything has been read, and it was whole.
    void require_end();

private:
    std::int64_t unread() const { return file_.size() - position_; }
    std::span<const std::uint8_t> next_packed();
    std::size_t unpack(std::span<std::uint8_t> bytes);

    std::string path_;
    RegularFile file_;
    std::int64_t position_ = 0;             // in the file
    std::unique_ptr<Inflater> inflater_{};  // null: not packed
    std::uint8_t first_[2]{};               // read before it is known what the file is
    std::size_t first_count_ = 0;
};

}  // namespace lockstep::trainer
