#pragma once

// Inside trainer/data only: the decoded images of a folder in one file, so that the next run need
// not decode them again. A cache decides nothing: one that is missing, of other files, cut off or
// changed is made anew, and one that cannot be written is done without.
//
//   "lockstep images 1\n"   what it is
//   64 hex digits, "\n"     the key: of the files it was made of, and of how
//   bytes                   the pixels of all images, one after another
//   64 hex digits           the digest of the data set; who reads compares it

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

class CachedImages {
public:
    // None if there is no such file, or one of another key or length.
    //   bytes   of all pixels
    static std::optional<CachedImages> open(const std::filesystem::path& path,
                                            const std::string& key, std::int64_t bytes);

    void read(std::span<std::uint8_t> pixels);  // throws DataError
    std::string read_digest();                  // after all pixels; throws DataError

private:
    explicit CachedImages(RegularFile file) : file_(std::move(file)) {}
    RegularFile file_;
};

// Writes a cache beside its place, and puts it there when it is complete. What goes wrong ends the
// writing and is told nobody.
class NewCachedImages {
public:
    // An empty path: nothing is written.
    NewCachedImages(const std::filesystem::path& path, const std::string& key);
    ~NewCachedImages();  // drops what is not finished
    NewCachedImages(const NewCachedImages&) = delete;
    NewCachedImages& operator=(const NewCachedImages&) = delete;

    void append(std::span<const std::uint8_t> pixels);
    void finish(const std::string& digest);

private:
    void drop();

    std::filesystem::path path_;
    std::string unfinished_;
    int descriptor_ = -1;  // below 0: nothing is written
};

}  // namespace lockstep::trainer
