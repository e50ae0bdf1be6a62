#pragma once

// Inside trainer/data only: data sets of numbers at the top of an HDF5 file, as h5py writes them,
// in one piece or in chunks, packed by gzip or not. Nothing outside of the file is followed, and no
// plug-in loaded. libhdf5 is not safe for threads: one at a time.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "trainer/data/array_file.hpp"

namespace lockstep::trainer {

// All throw DataError (damaged). libhdf5 itself ends the process on some damaged files.
std::vector<std::string> hdf5_names(const std::filesystem::path& path);  // sorted; groups too
std::unique_ptr<StoredArray> open_hdf5_array(const std::filesystem::path& path,
                                             const std::string& name);

}  // namespace lockstep::trainer
