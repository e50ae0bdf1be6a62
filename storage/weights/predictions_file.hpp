#pragma once

// predictions.h5: what a report needs of the test set. Layout in docs/weights_layout.md.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {

// Red, green and blue of every pixel, row by row.
struct Picture {
    int height = 0;
    int width = 0;
    std::vector<std::uint8_t> pixels{};  // [height, width, 3]

    bool operator==(const Picture&) const = default;
};

struct Predictions {
    std::vector<std::string> class_names;      // by label
    std::vector<std::uint16_t> labels;         // [samples]
    std::vector<float> probabilities;          // [samples, classes], row-major
    int image_height = 0;                      // pixels
    int image_width = 0;                       // pixels
    std::vector<std::uint32_t> image_samples;  // [images]: which samples the images are
    std::vector<std::uint8_t> images;          // [images, height, width, 3], red green blue
    // Training images and what augmentation makes of them; of a run without it empty.
    Picture augmentation{};

    bool operator==(const Predictions&) const = default;
};

// Throws std::invalid_argument if the sizes do not fit each other, StorageError as replace_file().
SavedFile write_predictions(const std::filesystem::path& path, const Predictions& predictions,
                            const BeforeNaming& before_naming = {});

// Throws StorageError: as read_file(); bad_data for a damaged file or another layout.
Predictions read_predictions(const std::filesystem::path& path);

}  // namespace lockstep::storage
