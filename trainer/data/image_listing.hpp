#pragma once

// Inside trainer/data only: which images a folder has, of which classes, in which split.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/config/label.hpp"

namespace lockstep::trainer {

struct ListedImage {
    std::filesystem::path path;
    Label label = 0;
};

struct ImageListing {
    std::vector<std::string> class_names;  // by label
    std::vector<ListedImage> training;     // by class, and by path in it
    std::vector<ListedImage> test;
    std::int64_t others = 0;  // files that are no images by their names
};

// path/train and path/test. Throws DataError as image_folder.hpp says.
ImageListing list_splits(const std::filesystem::path& path);

// One folder, divided: of each class with m images floor(fraction m + 1/2) become the test split,
// drawn by the seed. A pure function of the sorted names.
ImageListing list_divided(const std::filesystem::path& path, double fraction, std::uint64_t seed);

}  // namespace lockstep::trainer
