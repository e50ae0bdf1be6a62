#include "trainer/data/cifar10.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>

#include "trainer/data/class_names.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/regular_file.hpp"
#include "trainer/data/split_writer.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;
using Kind = DataError::Kind;

constexpr Shape kShape{.height = 32, .width = 32, .channels = 3};
constexpr std::size_t kPixels = 3 * 32 * 32;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::array kTrainingFiles = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                       "data_batch_4.bin", "data_batch_5.bin"};
constexpr std::array kTestFiles = {"test_batch.bin"};

std::vector<std::string> all_files() {
    std::vector<std::string> names(kTrainingFiles.begin(), kTrainingFiles.end());
    names.insert(names.end(), kTestFiles.begin(), kTestFiles.end());
    return names;
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(path, ignored);
}

// ---- finding the folder --------------------------------------------------------------------

bool has_any_file(const fs::path& folder) {
    return std::ranges::any_of(all_files(),
                               [&](const std::string& name) { return is_there(folder / name); });
}

// In bytewise order; empty where the folder cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error))
        entries.push_back(entry->path());
    std::ranges::sort(entries);
    return entries;
}

std::vector<fs::path> folders_with_files(const fs::path& path) {
    if (has_any_file(path)) return {path};
    if (has_any_file(path / "cifar-10-batches-bin")) return {path / "cifar-10-batches-bin"};
    std::vector<fs::path> found = entries_of(path);
    std::erase_if(found, [](const fs::path& entry) { return !has_any_file(entry); });
    return found;
}

std::string what_is_there(const fs::path& path) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return "there is no such folder";
    if (!fs::is_directory(path, ignored)) return "it is not a folder";
    constexpr std::size_t kMostNames = 10;
    const std::vector<fs::path> entries = entries_of(path);
    if (entries.empty()) return "it is empty or cannot be read";
    std::string names;
    for (std::size_t i = 0; i < std::min(entries.size(), kMostNames); ++i)
        names += (i == 0 ? "" : ", ") + entries[i].filename().string();
    if (entries.size() > kMostNames)
        names += fmt::format(" and {} more", entries.size() - kMostNames);
    return "it holds " + names;
}

[[noreturn]] void throw_missing(const fs::path& folder, const std::string& what) {
    throw DataError(
        Kind::missing,
        fmt::format("CIFAR-10 in {}: {}; expected data_batch_1.bin to data_batch_5.bin and "
                    "test_batch.bin; {}. The official archive is "
                    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz "
                    "(md5 c32a1d4ab5d03f1284b67883e8d87530)",
                    folder.string(), what, what_is_there(folder)));
}

fs::path find_folder(const fs::path& path) {
    const std::vector<fs::path> found = folders_with_files(path);
    if (found.empty()) throw_missing(path, "none of the batch files found");
    if (found.size() > 1)
        throw_missing(path, fmt::format("batch files in {} folders of it, of which none is named "
                                        "cifar-10-batches-bin: name the one to use",
                                        found.size()));
    std::string missing;
    for (const std::string& name : all_files())
        if (!is_there(found[0] / name)) missing += (missing.empty() ? "" : ", ") + name;
    if (!missing.empty()) throw_missing(found[0], missing + " missing");
    return found[0];
}

// ---- class names ---------------------------------------------------------------------------

struct NamesInUse {
    std::vector<std::string> names;  // by label
    std::string origin;              // in words
    std::string warning;             // of names that are not taken
};

NamesInUse names_of_cifar10(const std::string& reason) {
    return {cifar10_class_names(), "CIFAR-10's own: " + reason, {}};
}

NamesInUse class_names_in(const fs::path& folder) {
    const fs::path path = folder / "batches.meta.txt";
    if (!is_there(path))
        return names_of_cifar10(fmt::format("{} has no batches.meta.txt", folder.string()));
    ClassNames read = read_class_names(path);
    if (read.problem.empty()) return {std::move(read.names), "those of " + path.string(), {}};
    NamesInUse used =
        names_of_cifar10(fmt::format("{} is not taken, since {}", path.string(), read.problem));
    used.warning = fmt::format("the class names in {} are not taken: {}; CIFAR-10's ten are used",
                               path.string(), read.problem);
    return used;
}

// ---- reading -------------------------------------------------------------------------------

constexpr std::int64_t kMostRecords = 10'000'000;  // of one split: 29 GiB

struct BatchFile {
    fs::path path;
    RegularFile content;
    std::int64_t records = 0;
};

BatchFile open_batch(const fs::path& path) {
    BatchFile file{path, RegularFile(path), 0};
    const std::int64_t bytes = file.content.size();
    if (bytes == 0 || bytes % static_cast<std::int64_t>(kRecord) != 0)
        throw DataError(Kind::damaged, fmt::format("{}: {} bytes, expected n x 3,073",
                                                   path.string(), with_commas(bytes)));
    file.records = bytes / static_cast<std::int64_t>(kRecord);
    return file;
}

// The files of a split, opened, with their lengths checked.
struct Split {
    std::vector<BatchFile> files;
    std::int64_t records = 0;
};

Split open_split(const fs::path& folder, std::span<const char* const> names) {
    Split split;
    for (const char* name : names) {
        split.files.push_back(open_batch(folder / name));
        split.records += split.files.back().records;
        if (split.records > kMostRecords)
            throw DataError(Kind::damaged,
                            fmt::format("{}: with its {} bytes there are {} records of 3,073, "
                                        "expected at most {} in a split",
                                        (folder / name).string(),
                                        with_commas(split.files.back().content.size()),
                                        with_commas(split.records), with_commas(kMostRecords)));
    }
    return split;
}

// Before anything is allocated: where memory is short, a system kills instead of refusing.
void check_memory(const fs::path& folder, std::int64_t records) {
    const std::int64_t needed = records * static_cast<std::int64_t>(kRecord);
    const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
    const std::int64_t memory = pages * ::sysconf(_SC_PAGESIZE);
    if (pages > 0 && needed > memory)
        throw DataError(Kind::damaged,
                        fmt::format("{}: the batch files hold {} bytes, and this "
                                    "machine has {} bytes of memory",
                                    folder.string(), with_commas(needed), with_commas(memory)));
}

[[noreturn]] void throw_label(const BatchFile& file, std::int64_t record, int label,
                              const NamesInUse& names) {
    throw DataError(
        Kind::damaged,
        fmt::format("{}: record {} (from 0) has label {} at byte {}, expected 0..{}: {} classes "
                    "have names, {}",
                    file.path.string(), record, label, record * static_cast<std::int64_t>(kRecord),
                    names.names.size() - 1, names.names.size(), names.origin));
}

// Records that are read at once: they stay in L2 while they are taken apart, stored and digested.
constexpr std::size_t kRecordsAtOnce = 64;

void append_file(BatchFile& file, const NamesInUse& names, SplitWriter& images) {
    std::vector<std::uint8_t> records(kRecordsAtOnce * kRecord);
    std::vector<std::uint8_t> pixels(kRecordsAtOnce * kPixels);
    std::array<std::uint8_t, kRecordsAtOnce> labels{};
    for (std::int64_t first = 0; first < file.records;) {
        const auto count =
            static_cast<std::size_t>(std::min<std::int64_t>(kRecordsAtOnce, file.records - first));
        file.content.read(std::span(records).first(count * kRecord));
        for (std::size_t i = 0; i < count; ++i, ++first) {
            const std::uint8_t* record = &records[i * kRecord];
            if (record[0] >= names.names.size()) throw_label(file, first, record[0], names);
            labels[i] = record[0];
            std::copy_n(record + 1, kPixels, &pixels[i * kPixels]);
        }
        images.append(std::span(pixels).first(count * kPixels), std::span(labels).first(count));
    }
}

ImageSet read_split(Split& split, const NamesInUse& names, Sha256& digest) {
    SplitWriter images(split.records, kShape, digest);
    for (BatchFile& file : split.files) append_file(file, names, images);
    return std::move(images).finish();
}

}  // namespace

std::vector<std::string> cifar10_class_names() {
    return {"airplane", "automobile", "bird",  "cat",  "deer",
            "dog",      "frog",       "horse", "ship", "truck"};
}

void require_cifar10(const std::filesystem::path& path) { find_folder(path); }

Dataset read_cifar10(const fs::path& path) {
    const fs::path folder = find_folder(path);
    NamesInUse names = class_names_in(folder);
    Split training = open_split(folder, kTrainingFiles);
    Split test = open_split(folder, kTestFiles);
    check_memory(folder, training.records + test.records);
    Sha256 digest = begin_digest(training.records, test.records, kShape);
    Dataset dataset{"cifar10",
                    kShape,
                    {},
                    read_split(training, names, digest),
                    read_split(test, names, digest),
                    digest.hex()};
    dataset.class_names = std::move(names.names);
    return dataset;
}

DatasetTraits official_cifar10_traits() {
    return {kShape, cifar10_class_names(), 50000, 10000, "CIFAR-10's own", ""};
}

DatasetTraits cifar10_traits(const fs::path& path) {
    DatasetTraits traits = official_cifar10_traits();
    try {
        const fs::path folder = find_folder(path);
        NamesInUse names = class_names_in(folder);
        traits.class_names = std::move(names.names);
        traits.class_names_origin = std::move(names.origin);
        traits.warning = std::move(names.warning);
        const std::int64_t training_samples = open_split(folder, kTrainingFiles).records;
        traits.test_samples = open_split(folder, kTestFiles).records;
        traits.training_samples = training_samples;
    } catch (const DataError& error) {
        // To check an experiment no data are needed; loading them says what is wrong.
        if (error.kind() == Kind::unreadable) throw;
        if (error.kind() == Kind::missing)
            traits.class_names_origin =
                names_of_cifar10("there are no data in " + path.string()).origin;
    }
    return traits;
}

}  // namespace lockstep::trainer
