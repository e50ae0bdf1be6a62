#pragma once

// Data sets in memory, as bytes, and the samples of a run as lists of indices into them.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "trainer/config/errors.hpp"
#include "trainer/config/label.hpp"
#include "trainer/config/shape.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/data/pixel_array.hpp"

namespace lockstep::trainer {

// Images of one split as they lie in CIFAR's files: bytes [samples, channels, height, width].
struct ImageSet {
    PixelArray pixels;
    std::vector<Label> labels;  // [samples]

    std::int64_t count() const { return static_cast<std::int64_t>(labels.size()); }
};

struct Dataset {
    std::string name;                      // data.dataset: cifar10, synthetic, ...
    Shape shape;                           // of one image
    std::vector<std::string> class_names;  // by label
    ImageSet training;
    ImageSet test;
    std::string digest;  // SHA-256, hex, over the pixels and labels of both splits
};

// Some samples of one split, with the labels the network learns (0..classes-1).
struct SampleSet {
    const ImageSet* images = nullptr;
    std::vector<std::uint32_t> indices;  // into *images
    std::vector<Label> labels;           // beside indices

    std::int64_t count() const { return static_cast<std::int64_t>(indices.size()); }
    // Bytes of sample number `sample`, [channels, height, width]; `image_size` of them.
    const std::uint8_t* pixels_of(std::size_t sample, std::size_t image_size) const {
        return images->pixels.data() + indices[sample] * image_size;
    }
};

// value = (pixel - offset) / divisor, per channel, in float32; exactly pixel / 255 for `unit`.
struct PixelScale {
    std::vector<float> offset;   // [channels]
    std::vector<float> divisor;  // [channels]
    bool operator==(const PixelScale&) const = default;
};

// What one run sees of a data set.
struct RunData {
    std::shared_ptr<const Dataset> dataset;
    Shape shape;
    std::vector<std::string> class_names;  // of the run, by its labels
    SampleSet training;
    SampleSet validation;  // empty where there is none
    SampleSet test;
    bool validates_on_test_set = false;
    PixelScale scale;
};

// Reads or makes the data set, its pixels in memory that other ranks of the node may share
// (node_dataset.hpp). It does not communicate. Throws DataError.
std::shared_ptr<const Dataset> load_dataset(const DataConfig& config);
// Equal where two runs read one data set: its word, its settings, where its files lie.
std::string dataset_key(const DataConfig& config);

// Shape and class names, without reading any images (for checking a file beforehand).
struct DatasetTraits {
    Shape shape;
    std::vector<std::string> class_names;
    std::int64_t training_samples = 0;
    std::int64_t test_samples = 0;
    std::string class_names_origin;  // where they are from, in words
    std::string warning;             // of class names that lie there and are not taken; or ""
};
DatasetTraits dataset_traits(const DataConfig& config);
// Throws DataError (missing) where files of the data set are missing; reads no images.
void require_dataset(const DataConfig& config);
// The traits of the complete set as it is published, whatever lies in config.path.
DatasetTraits nominal_traits(const DataConfig& config);

// Picks the run's classes, cuts off the validation samples and fixes the scale of the pixels.
// Labels are renumbered in the order of config.classes. `seed` draws the stratified fraction.
// Throws DataError (bad_request) for an unknown class or a split that leaves nothing to train on.
RunData select_samples(std::shared_ptr<const Dataset> dataset, const DataConfig& config,
                       std::uint64_t seed);

}  // namespace lockstep::trainer
