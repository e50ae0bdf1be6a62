#pragma once

// Inside trainer/data only: arrays as numpy.savez() and savez_compressed() write them: a zip
// archive [1] of .npy files [2], stored or deflated. Of under 4 GiB each: no zip64.
//
// [1] PKWARE: .ZIP file format specification (APPNOTE.TXT), 4.3
// [2] numpy.lib.format: magic, version, length, a dictionary with descr, fortran_order and shape

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/data/inflater.hpp"
#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

// A member of the archive.
struct ZipEntry {
    int method = 0;  // 0 stored, 8 deflated
    std::uint32_t checksum = 0;
    std::int64_t packed_size = 0;
    std::int64_t size = 0;
    std::int64_t header_place = 0;  // of its local header
};

// Everything below throws DataError (damaged) for what is cut off, contradicts itself, fails its
// check sum, or is no array.

// One array, from its first element to its last.
class NpyArray {
public:
    NpyArray(std::shared_ptr<RegularFile> file, std::string origin, const ZipEntry& entry);

    const std::string& origin() const { return origin_; }  // "mnist.npz: x_train"
    const std::string& type() const { return type_; }      // numpy's descr: "|u1", "<i8"
    const std::vector<std::int64_t>& shape() const { return shape_; }
    std::int64_t element_size() const { return element_size_; }  // bytes

    void read(std::span<std::uint8_t> bytes);
    void require_end();  // compares the check sum

private:
    void read_header();
    void check_length();
    std::size_t read_packed(std::span<std::uint8_t> bytes);

    std::shared_ptr<RegularFile> file_;
    std::string origin_;
    ZipEntry entry_;
    std::unique_ptr<Inflater> inflater_;  // null: stored
    std::int64_t place_ = 0;              // in the file
    std::int64_t packed_left_ = 0;        // bytes of the member that were not yet read
    std::int64_t left_ = 0;               // bytes that have not yet come out
    std::uint32_t checksum_ = 0;
    std::string type_;
    std::vector<std::int64_t> shape_;
    std::int64_t element_size_ = 0;
};

class NpzFile {
public:
    explicit NpzFile(const std::filesystem::path& path);

    const std::string& path() const { return path_; }
    std::vector<std::string> names() const;  // of its arrays, sorted
    bool has(const std::string& name) const { return entries_.contains(name); }
    NpyArray open(const std::string& name) const;  // one of them

private:
    std::string path_;
    std::shared_ptr<RegularFile> file_;
    std::map<std::string, ZipEntry> entries_;
};

}  // namespace lockstep::trainer
