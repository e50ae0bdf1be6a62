#include "trainer/data/idx.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "trainer/config/errors.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/data_stream.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/split_writer.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;
using Kind = DataError::Kind;

struct IdxSet {
    std::string word;                  // fashion_mnist
    std::string title;                 // Fashion-MNIST
    std::vector<std::string> folders;  // of the files, below the given one
    std::vector<std::string> class_names;
    std::string source;  // where the files are to be had, in words
};

constexpr const char* kTrainingImages = "train-images-idx3-ubyte";
constexpr const char* kTrainingLabels = "train-labels-idx1-ubyte";
constexpr const char* kTestImages = "t10k-images-idx3-ubyte";
constexpr const char* kTestLabels = "t10k-labels-idx1-ubyte";
constexpr std::array kFiles{kTrainingImages, kTrainingLabels, kTestImages, kTestLabels};
constexpr std::uint32_t kImagesMagic = 0x803;
constexpr std::uint32_t kLabelsMagic = 0x801;
constexpr std::int64_t kMostSide = 4096;

// ---- finding the files ---------------------------------------------------------------------

// The plain file, if it is there, else the packed one; empty if neither is.
fs::path file_in(const fs::path& folder, const std::string& name) {
    if (is_there(folder / name)) return folder / name;
    if (is_there(folder / (name + ".gz"))) return folder / (name + ".gz");
    return {};
}

fs::path find_folder(const IdxSet& set, const fs::path& path) {
    const auto has_any_file = [](const fs::path& folder) {
        return std::ranges::any_of(
            kFiles, [&](const char* name) { return !file_in(folder, name).empty(); });
    };
    fs::path found = path;
    for (const std::string& folder : set.folders)
        if (!has_any_file(found) && has_any_file(path / folder)) found = path / folder;
    std::string missing;
    for (const char* name : kFiles)
        if (file_in(found, name).empty())
            missing += (missing.empty() ? "" : ", ") + std::string(name);
    if (missing.empty()) return found;
    throw DataError(Kind::missing,
                    fmt::format("{} in {}: {} missing, as they are or with .gz; {}. {}", set.title,
                                found.string(), missing, what_is_there(found), set.source));
}

// ---- reading -------------------------------------------------------------------------------

std::int64_t read_number(DataStream& file) {
    std::array<std::uint8_t, 4> bytes{};
    file.read(bytes);
    std::int64_t number = 0;
    for (const std::uint8_t byte : bytes) number = number << 8 | byte;
    return number;
}

void check_magic(DataStream& file, std::uint32_t expected, const char* what) {
    const std::int64_t magic = read_number(file);
    if (magic != expected)
        throw_damaged(file.path(), fmt::format("it begins with 0x{:08x}, expected 0x{:08x} ({})",
                                               magic, expected, what));
}

// What the file must have behind its `header` bytes.
void check_length(const DataStream& file, std::int64_t header, std::int64_t bytes) {
    const bool is_right =
        file.is_packed() ? file.can_hold(header + bytes) : file.file_size() == header + bytes;
    if (is_right) return;
    throw_damaged(file.path(),
                  fmt::format("{} bytes, expected {}{}, by the numbers it begins with",
                              with_commas(file.file_size()), file.is_packed() ? "what holds " : "",
                              with_commas(header + bytes)));
}

// The two files of a split, opened, their headers read and checked.
struct Split {
    DataStream images;
    DataStream labels;
    std::int64_t samples = 0;
    Shape shape;
};

void check_samples(const Split& split) {
    if (split.samples < 1 || split.samples > kMostSamples)
        throw_damaged(split.images.path(),
                      fmt::format("{} images, expected 1 to {}", with_commas(split.samples),
                                  with_commas(kMostSamples)));
    for (const int side : {split.shape.height, split.shape.width})
        if (side < 1 || side > kMostSide)
            throw_damaged(split.images.path(),
                          fmt::format("images of {} x {}, expected sides of 1 to {}",
                                      split.shape.height, split.shape.width, kMostSide));
}

Split open_split(const fs::path& folder, const char* images, const char* labels) {
    Split split{DataStream(file_in(folder, images)), DataStream(file_in(folder, labels)), 0, {}};
    check_magic(split.images, kImagesMagic, "images of bytes");
    split.samples = read_number(split.images);
    const auto side = [&] {
        return static_cast<int>(std::min(read_number(split.images), kMostSide + 1));
    };
    split.shape.height = side();
    split.shape.width = side();
    split.shape.channels = 1;
    check_samples(split);
    check_length(split.images, 16, split.samples * split.shape.size());

    check_magic(split.labels, kLabelsMagic, "labels of bytes");
    const std::int64_t count = read_number(split.labels);
    if (count != split.samples)
        throw_damaged(split.labels.path(),
                      fmt::format("{} labels for the {} images of {}", with_commas(count),
                                  with_commas(split.samples), split.images.path()));
    check_length(split.labels, 8, count);
    return split;
}

struct Splits {
    Split training;
    Split test;
};

Splits open_splits(const fs::path& folder) {
    Splits splits{open_split(folder, kTrainingImages, kTrainingLabels),
                  open_split(folder, kTestImages, kTestLabels)};
    const Shape& shape = splits.training.shape;
    if (splits.test.shape != shape)
        throw_damaged(splits.test.images.path(),
                      fmt::format("images of {} x {}, those of {} are {} x {}",
                                  splits.test.shape.height, splits.test.shape.width,
                                  splits.training.images.path(), shape.height, shape.width));
    return splits;
}

std::vector<Label> read_labels(DataStream& file, std::int64_t count, const IdxSet& set) {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
    file.read(bytes);
    file.require_end();
    const auto wrong = std::ranges::find_if(
        bytes, [&](std::uint8_t label) { return label >= set.class_names.size(); });
    if (wrong != bytes.end())
        throw_damaged(
            file.path(),
            fmt::format("label {} (from 0) is {}, expected 0..{}: the classes "
                        "of {}",
                        wrong - bytes.begin(), *wrong, set.class_names.size() - 1, set.title));
    return {bytes.begin(), bytes.end()};
}

// Bytes of images that are read at once: they stay in L2 while they are stored and digested.
constexpr std::int64_t kBytesAtOnce = 1 << 17;

ImageSet read_split(Split& split, const IdxSet& set, Sha256& digest) {
    const std::vector<Label> labels = read_labels(split.labels, split.samples, set);
    SplitWriter writer(split.samples, split.shape, set.class_names.size(), digest);
    const std::int64_t size = split.shape.size();
    const std::int64_t at_once = std::max<std::int64_t>(1, kBytesAtOnce / size);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(at_once * size));
    for (std::int64_t first = 0; first < split.samples; first += at_once) {
        const auto count = static_cast<std::size_t>(std::min(at_once, split.samples - first));
        const auto some = std::span(pixels).first(count * static_cast<std::size_t>(size));
        split.images.read(some);
        writer.append(some, std::span(labels).subspan(static_cast<std::size_t>(first), count));
    }
    split.images.require_end();
    return std::move(writer).finish();
}

Dataset read_idx(const IdxSet& set, const fs::path& path) {
    const fs::path folder = find_folder(set, path);
    Splits splits = open_splits(folder);
    const Shape shape = splits.training.shape;
    const std::int64_t samples = splits.training.samples + splits.test.samples;
    check_memory(fmt::format("{}: the images have", folder.string()), samples * shape.size());
    Sha256 digest = begin_digest(splits.training.samples, splits.test.samples, shape);
    Dataset dataset{set.word,
                    shape,
                    set.class_names,
                    read_split(splits.training, set, digest),
                    read_split(splits.test, set, digest),
                    {}};
    dataset.digest = digest.hex();
    return dataset;
}

DatasetTraits published_traits(const IdxSet& set) {
    return {{.height = 28, .width = 28, .channels = 1},
            set.class_names,
            60'000,
            10'000,
            set.title + "'s own",
            ""};
}

DatasetTraits idx_traits(const IdxSet& set, const fs::path& path) {
    DatasetTraits traits = published_traits(set);
    try {
        const Splits splits = open_splits(find_folder(set, path));
        traits.shape = splits.training.shape;
        traits.training_samples = splits.training.samples;
        traits.test_samples = splits.test.samples;
    } catch (const DataError& error) {
        if (error.kind() == Kind::unreadable) throw;  // loading says what else is wrong
    }
    return traits;
}

// ---- the sets ------------------------------------------------------------------------------

IdxSet mnist() {
    return {.word = "mnist",
            .title = "MNIST",
            .folders = {"mnist", "MNIST", "MNIST/raw"},
            .class_names = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
            .source = "The files are at https://ossci-datasets.s3.amazonaws.com/mnist/"};
}

IdxSet fashion_mnist() {
    return {.word = "fashion_mnist",
            .title = "Fashion-MNIST",
            .folders = {"fashion-mnist", "fashion_mnist", "FashionMNIST/raw"},
            .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                            "Shirt", "Sneaker", "Bag", "Ankle boot"},
            .source =
                "Debian's package dataset-fashion-mnist has them (apt-get install "
                "dataset-fashion-mnist), and they are then found without data.path"};
}

// Of one of the sets above.
template <IdxSet (*kSet)()>
DatasetKind idx_kind() {
    return {
        .word = {},
        .load = [](const DataConfig& config) { return read_idx(kSet(), config.path); },
        .require = [](const DataConfig& config) { find_folder(kSet(), config.path); },
        .traits = [](const DataConfig& config) { return idx_traits(kSet(), config.path); },
        .nominal_traits = [](const DataConfig&) { return published_traits(kSet()); },
    };
}

}  // namespace

DatasetKind mnist_kind() {
    DatasetKind kind = idx_kind<mnist>();
    kind.word = "mnist";
    return kind;
}

DatasetKind fashion_mnist_kind() {
    DatasetKind kind = idx_kind<fashion_mnist>();
    kind.word = "fashion_mnist";
    kind.usual_place = "/usr/share/datasets/fashion-mnist";
    return kind;
}

}  // namespace lockstep::trainer
