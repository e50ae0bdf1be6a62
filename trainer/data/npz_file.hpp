#pragma once

// Inside trainer/data only: arrays as numpy.savez() and savez_compressed() write them: a zip
// archive, read by libzip, of .npy files [1], stored or deflated.
//
// [1] numpy.lib.format: magic, version, length, a dictionary with descr, fortran_order and shape

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

struct zip;       // libzip's zip_t
struct zip_file;  // and zip_file_t

namespace lockstep::trainer {

// Everything below throws DataError (damaged) for what is cut off, contradicts itself, fails its
// check sum, or is no array.

// One array, from its first element to its last.
class NpyArray {
public:
    NpyArray(std::shared_ptr<zip> archive, std::uint64_t member, std::string origin);

    const std::string& origin() const { return origin_; }  // "mnist.npz: x_train"
    const std::string& type() const { return type_; }      // numpy's descr: "|u1", "<i8"
    const std::vector<std::int64_t>& shape() const { return shape_; }
    std::int64_t element_size() const { return element_size_; }  // bytes

    void read(std::span<std::uint8_t> bytes);
    void require_end();  // and that the check sum is right

private:
    struct Close {
        void operator()(zip_file* member) const;
    };
    void open(std::uint64_t member);
    void read_header();
    void check_length() const;

    std::shared_ptr<zip> archive_;  // outlives the member
    std::string origin_;
    std::unique_ptr<zip_file, Close> member_;
    std::int64_t packed_size_ = 0;  // bytes in the archive
    std::int64_t size_ = 0;         // bytes of the member
    std::int64_t left_ = 0;         // those that were not yet read
    std::string type_;
    std::vector<std::int64_t> shape_;
    std::int64_t element_size_ = 0;
};

class NpzFile {
public:
    // Throws DataError as RegularFile does, too.
    explicit NpzFile(const std::filesystem::path& path);

    const std::string& path() const { return path_; }
    std::vector<std::string> names() const;  // of its arrays, sorted
    bool has(const std::string& name) const { return members_.contains(name); }
    NpyArray open(const std::string& name) const;  // one of them

private:
    std::string path_;
    std::shared_ptr<zip> archive_;
    std::map<std::string, std::uint64_t> members_;  // their numbers, by name
};

}  // namespace lockstep::trainer
