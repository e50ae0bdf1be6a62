#pragma once

// Inside trainer/data only: files of HDF5 (hdf5_array.hpp), read in a child process where that may
// be (reading_child.hpp).

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/data/array_file.hpp"

namespace lockstep::trainer {

class Hdf5ArrayFile : public ArrayFile {
public:
    explicit Hdf5ArrayFile(std::filesystem::path path) : path_(std::move(path)) {}

    std::vector<std::string> names() const override;
    std::unique_ptr<StoredArray> open(const std::string& name) const override;

private:
    std::filesystem::path path_;
};

}  // namespace lockstep::trainer
