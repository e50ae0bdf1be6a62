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

#include "trainer/data/array_file.hpp"

struct zip;       // libzip's zip_t
struct zip_file;  // and zip_file_t

namespace lockstep::trainer {

class NpyArray : public StoredArray {
public:
    NpyArray(std::shared_ptr<zip> archive, std::uint64_t member, std::string origin);

    void read(std::span<std::uint8_t> bytes) override;
    void require_end() override;

private:
    struct Close {
        void operator()(zip_file* member) const;
    };
    void open(std::uint64_t member);
    void read_header();
    void check_length() const;

    std::shared_ptr<zip> archive_;  // outlives the member
    std::unique_ptr<zip_file, Close> member_;
    std::int64_t packed_size_ = 0;  // bytes in the archive
    std::int64_t size_ = 0;         // bytes of the member
    std::int64_t left_ = 0;         // those that were not yet read
};

class NpzFile : public ArrayFile {
public:
    // Throws DataError as RegularFile does, too.
    explicit NpzFile(const std::filesystem::path& path);

    std::vector<std::string> names() const override;
    std::unique_ptr<StoredArray> open(const std::string& name) const override;

private:
    std::string path_;
    std::shared_ptr<zip> archive_;
    std::map<std::string, std::uint64_t> members_;  // their numbers, by name
};

}  // namespace lockstep::trainer
