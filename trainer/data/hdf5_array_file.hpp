#pragma once

// Inside trainer/data only: data sets of numbers at the top of an HDF5 file, as h5py writes them,
// in one piece or in chunks, packed by gzip or not. Nothing outside of the file is followed, and no
// plug-in loaded. libhdf5 is not safe for threads: one at a time.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/array_file.hpp"

namespace lockstep::trainer {

class OpenHdf5;

class Hdf5ArrayFile : public ArrayFile {
public:
    // Throws DataError (damaged).
    explicit Hdf5ArrayFile(const std::filesystem::path& path);

    std::vector<std::string> names() const override;
    std::unique_ptr<StoredArray> open(const std::string& name) const override;

private:
    std::shared_ptr<OpenHdf5> file_;
};

}  // namespace lockstep::trainer
