#include "storage/weights/predictions_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "storage/files/storage_error.hpp"
#include "storage/weights/child_reading.hpp"
#include "storage/weights/hdf5.hpp"

namespace lockstep::storage {
namespace {

constexpr std::int64_t kPredictionsFormat = 1;
constexpr std::int64_t kColors = 3;

std::int64_t count_of(const auto& values) { return static_cast<std::int64_t>(values.size()); }

// What is wrong with the sizes or labels; "" if nothing is.
std::string_view problem_of(const Predictions& p) {
    const std::size_t image_bytes = static_cast<std::size_t>(p.image_height) *
                                    static_cast<std::size_t>(p.image_width) * kColors;
    if (p.probabilities.size() != p.labels.size() * p.class_names.size()) {
        return "probabilities are not [samples, classes]";
    }
    if (p.images.size() != p.image_samples.size() * image_bytes) {
        return "images are not [images, height, width, 3]";
    }
    const Picture& picture = p.augmentation;
    if (picture.pixels.size() != static_cast<std::size_t>(picture.height) *
                                     static_cast<std::size_t>(picture.width) * kColors) {
        return "the picture of the augmentation is not [height, width, 3]";
    }
    const auto is_sample = [&](std::uint32_t i) { return i < p.labels.size(); };
    if (!std::all_of(p.image_samples.begin(), p.image_samples.end(), is_sample)) {
        return "an image is of no sample";
    }
    const auto is_class = [&](std::uint16_t label) { return label < p.class_names.size(); };
    return std::all_of(p.labels.begin(), p.labels.end(), is_class) ? "" : "a label is of no class";
}

}  // namespace

// For PlainWriter and PlainReader, which find it by its type.
template <typename Plain>
void fields(Plain& plain, Predictions& p) {
    plain(p.class_names, p.labels, p.probabilities, p.image_height, p.image_width, p.image_samples,
          p.images, p.augmentation.height, p.augmentation.width, p.augmentation.pixels);
}

namespace {

constexpr std::size_t kMostClassesOfBytes = 256;

// uint8 where that is enough, which is what files have always had; else uint32.
void write_labels(const Hdf5Image& image, const Predictions& p) {
    if (p.class_names.size() > kMostClassesOfBytes) {
        const std::vector<std::uint32_t> labels(p.labels.begin(), p.labels.end());
        return write_indices(image.root(), "labels", labels);
    }
    const std::vector<std::uint8_t> labels(p.labels.begin(), p.labels.end());
    write_bytes(image.root(), "labels", std::vector{count_of(labels)}, labels);
}

std::vector<std::uint16_t> read_labels(const Hdf5Source& source) {
    const std::vector<std::uint32_t> labels = read_indices(source, source.root(), "labels");
    const auto fits = [](std::uint32_t label) { return std::in_range<std::uint16_t>(label); };
    if (!std::all_of(labels.begin(), labels.end(), fits)) source.refuse("a label is of no class");
    return {labels.begin(), labels.end()};
}

constexpr const char* kAugmentation = "augmentation";

Picture read_picture(const Hdf5Source& source) {
    if (!has_member(source.root(), kAugmentation)) return {};
    ByteArray picture = read_bytes(source, source.root(), kAugmentation);
    const auto& shape = picture.shape;
    if (shape.size() != 3 || shape[0] > 1 << 16 || shape[1] > 1 << 16)
        source.refuse("the picture of the augmentation is not [height, width, 3]");
    return {static_cast<int>(shape[0]), static_cast<int>(shape[1]), std::move(picture.values)};
}

Predictions parse(const Bytes& bytes, const std::string& origin) {
    const Hdf5Source source(bytes, origin);
    if (read_integer_attribute(source, source.root(), "format") != kPredictionsFormat) {
        source.refuse("predictions of an unknown format");
    }
    Predictions p;
    p.class_names = read_texts_attribute(source, source.root(), "class_names");
    p.labels = read_labels(source);
    p.probabilities = read_floats(source, source.root(), "probabilities").values;
    p.image_samples = read_indices(source, source.root(), "image_samples");
    ByteArray images = read_bytes(source, source.root(), "images");
    if (images.shape.size() != 4 || images.shape[1] > 1 << 16 || images.shape[2] > 1 << 16) {
        source.refuse("images are not [images, height, width, 3]");
    }
    p.image_height = static_cast<int>(images.shape[1]);
    p.image_width = static_cast<int>(images.shape[2]);
    p.images = std::move(images.values);
    p.augmentation = read_picture(source);
    if (const std::string_view problem = problem_of(p); !problem.empty()) source.refuse(problem);
    return p;
}

}  // namespace

SavedFile write_predictions(const std::filesystem::path& path, const Predictions& p,
                            const BeforeNaming& before_naming) {
    if (const std::string_view problem = problem_of(p); !problem.empty()) {
        throw std::invalid_argument(std::string(problem));
    }
    const Hdf5Image image;
    write_attribute(image.root(), "format", kPredictionsFormat);
    write_attribute(image.root(), "class_names", std::span<const std::string>(p.class_names));
    const std::int64_t samples = count_of(p.labels);
    write_labels(image, p);
    write_floats(image.root(), "probabilities", std::vector{samples, count_of(p.class_names)},
                 p.probabilities, Hdf5Layout::checksummed);
    write_indices(image.root(), "image_samples", p.image_samples);
    write_bytes(image.root(), "images",
                std::vector<std::int64_t>{count_of(p.image_samples), p.image_height, p.image_width,
                                          kColors},
                p.images);
    if (const Picture& picture = p.augmentation; !picture.pixels.empty())
        write_bytes(image.root(), kAugmentation,
                    std::vector<std::int64_t>{picture.height, picture.width, kColors},
                    picture.pixels);
    return replace_file(path, image.bytes(), before_naming);
}

Predictions read_predictions(const std::filesystem::path& path) {
    const Bytes bytes = read_file(path);
    return value_read_in_child(path.string(), bytes.size(),
                               [&] { return parse(bytes, path.string()); });
}

}  // namespace lockstep::storage
