#include "trainer/data/arrays.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/config/errors.hpp"
#include "trainer/data/array_file.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/split_writer.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostSide = 4096;
constexpr std::array kNames{"x_train", "y_train", "x_test", "y_test"};

std::unique_ptr<ArrayFile> open_file(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored))
        throw DataError(DataError::Kind::missing,
                        fmt::format("{} is a folder; data.path is the .npz or HDF5 file itself",
                                    path.string()));
    auto file = open_array_file(path);
    const std::vector<std::string> there = file->names();
    for (const char* name : kNames)
        if (std::ranges::find(there, name) == there.end())
            throw DataError(
                DataError::Kind::missing,
                fmt::format("{} has no array {}; it has {}", path.string(), name,
                            there.empty() ? "none" : fmt::to_string(fmt::join(there, ", "))));
    return file;
}

// ---- labels --------------------------------------------------------------------------------

std::int64_t signed_number(const std::uint8_t* bytes, std::size_t size, bool is_signed) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < size; ++i) number |= std::uint64_t{bytes[i]} << (8 * i);
    const bool is_negative = is_signed && (bytes[size - 1] & 0x80) != 0;
    return is_negative || number > INT64_MAX ? -1 : static_cast<std::int64_t>(number);
}

std::vector<Label> read_labels(const ArrayFile& file, const char* name) {
    const auto stored = file.open(name);
    StoredArray& array = *stored;
    const std::string& type = array.type();
    const bool is_whole = (type[1] == 'u' || type[1] == 'i') && type[0] != '>';
    const bool is_list =
        array.shape().size() == 1 || (array.shape().size() == 2 && array.shape()[1] == 1);
    if (!is_whole || !is_list || array.element_size() > 8)
        throw_damaged(array.origin(),
                      fmt::format("{} of shape ({}), expected whole numbers of shape (samples) or "
                                  "(samples, 1)",
                                  type, fmt::join(array.shape(), ", ")));
    const auto size = static_cast<std::size_t>(array.element_size());
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(array.shape()[0]) * size);
    array.read(bytes);
    array.require_end();
    std::vector<Label> labels;
    for (std::size_t i = 0; i < bytes.size(); i += size) {
        const std::int64_t label = signed_number(&bytes[i], size, type[1] == 'i');
        if (label < 0 || label >= static_cast<std::int64_t>(kMostClasses))
            throw_damaged(array.origin(), fmt::format("label {} (from 0) is not in 0..{}", i / size,
                                                      kMostClasses - 1));
        labels.push_back(static_cast<Label>(label));
    }
    return labels;
}

// ---- images --------------------------------------------------------------------------------

Shape shape_of(const StoredArray& images) {
    const std::vector<std::int64_t>& shape = images.shape();
    const bool is_images = shape.size() == 3 || shape.size() == 4;
    const auto is_side = [](std::int64_t side) { return side >= 1 && side <= kMostSide; };
    if (images.type() != "|u1" || !is_images ||
        !std::all_of(shape.begin() + 1, shape.end(), is_side))
        throw_damaged(images.origin(),
                      fmt::format("{} of shape ({}), expected uint8 of shape (samples, height, "
                                  "width) or (samples, height, width, channels)",
                                  images.type(), fmt::join(shape, ", ")));
    return {.height = static_cast<int>(shape[1]),
            .width = static_cast<int>(shape[2]),
            .channels = shape.size() == 4 ? static_cast<int>(shape[3]) : 1};
}

struct Split {
    std::unique_ptr<StoredArray> images;
    Shape shape;
    std::vector<Label> labels;
};

Split open_split(const ArrayFile& file, const char* images, const char* labels) {
    Split split{file.open(images), {}, read_labels(file, labels)};
    split.shape = shape_of(*split.images);
    const auto count = static_cast<std::int64_t>(split.labels.size());
    if (split.images->shape()[0] != count || count < 1 || count > kMostSamples)
        throw_damaged(split.images->origin(),
                      fmt::format("{} images for {} labels, expected as many, 1 to {}",
                                  with_commas(split.images->shape()[0]), with_commas(count),
                                  with_commas(kMostSamples)));
    return split;
}

struct Splits {
    Split training;
    Split test;
    Shape shape;
    std::vector<std::string> class_names;
};

Splits open_splits(const fs::path& path) {
    const auto file = open_file(path);
    Splits splits{
        open_split(*file, "x_train", "y_train"), open_split(*file, "x_test", "y_test"), {}, {}};
    splits.shape = splits.training.shape;
    if (splits.test.shape != splits.shape)
        throw_damaged(splits.test.images->origin(), "its images have another shape than x_train's");
    const auto last =
        std::max(std::ranges::max(splits.training.labels), std::ranges::max(splits.test.labels));
    for (int label = 0; label <= last; ++label) splits.class_names.push_back(std::to_string(label));
    return splits;
}

ImageSet read_split(Split& split, const Splits& splits, Sha256& digest) {
    const auto channels = static_cast<std::size_t>(splits.shape.channels);
    const auto size = static_cast<std::size_t>(splits.shape.size());
    const std::size_t plane = size / channels;
    SplitWriter writer(static_cast<std::int64_t>(split.labels.size()), splits.shape,
                       splits.class_names.size(), digest);
    std::vector<std::uint8_t> pixels(size);
    std::vector<std::uint8_t> planes(size);
    for (const Label& label : split.labels) {
        split.images->read(pixels);
        for (std::size_t i = 0; i < size; ++i)
            planes[i % channels * plane + i / channels] = pixels[i];
        writer.append(planes, std::span(&label, 1));
    }
    split.images->require_end();
    return std::move(writer).finish();
}

Dataset load(const DataConfig& config) {
    Splits splits = open_splits(config.path);
    const auto training = static_cast<std::int64_t>(splits.training.labels.size());
    const auto test = static_cast<std::int64_t>(splits.test.labels.size());
    check_memory(fmt::format("{}: the images have", config.path.string()),
                 (training + test) * splits.shape.size());
    Sha256 digest = begin_digest(training, test, splits.shape);
    Dataset dataset{"arrays",
                    splits.shape,
                    splits.class_names,
                    read_split(splits.training, splits, digest),
                    read_split(splits.test, splits, digest),
                    {}};
    dataset.digest = digest.hex();
    return dataset;
}

DatasetTraits traits(const DataConfig& config) {
    const Splits splits = open_splits(config.path);
    return {splits.shape,
            splits.class_names,
            static_cast<std::int64_t>(splits.training.labels.size()),
            static_cast<std::int64_t>(splits.test.labels.size()),
            fmt::format("the labels in {}", config.path.string()),
            ""};
}

}  // namespace

DatasetKind arrays_kind() {
    return {
        .word = "arrays",
        .load = load,
        .require = [](const DataConfig& config) { open_file(config.path); },
        .traits = traits,
        .nominal_traits = traits,
    };
}

}  // namespace lockstep::trainer
