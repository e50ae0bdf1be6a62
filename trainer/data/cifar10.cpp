#include "trainer/data/cifar10.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <set>
#include <span>
#include <system_error>

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;
using Kind = DataError::Kind;

constexpr std::size_t kPixels = 3 * 32 * 32;
constexpr std::size_t kRecord = 1 + kPixels;
constexpr std::size_t kClasses = 10;
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

bool is_sane_name(const std::string& name) {
    return name.size() <= 64 &&
           std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
}

// Empty where the file is not there or does not list ten different names.
std::vector<std::string> names_in_file(const fs::path& path) {
    std::vector<std::string> names;
    std::ifstream file(path);
    for (std::string line; names.size() <= kClasses && std::getline(file, line);) {
        if (line.ends_with('\r')) line.pop_back();
        if (!line.empty()) names.push_back(line);
    }
    const bool are_different = std::set(names.begin(), names.end()).size() == kClasses;
    if (names.size() == kClasses && are_different && std::ranges::all_of(names, is_sane_name))
        return names;
    return {};
}

std::vector<std::string> class_names_in(const fs::path& folder) {
    std::vector<std::string> names = names_in_file(folder / "batches.meta.txt");
    return names.empty() ? cifar10_class_names() : names;
}

// ---- reading -------------------------------------------------------------------------------

struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

std::string with_commas(std::uintmax_t number) {
    std::string text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
        text.insert(static_cast<std::size_t>(at), ",");
    return text;
}

std::string errno_text() { return std::generic_category().message(errno); }

std::size_t checked_record_count(const fs::path& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error) && !error)
        throw DataError(Kind::damaged, fmt::format("{} is not a regular file", path.string()));
    const std::uintmax_t bytes = error ? 0 : fs::file_size(path, error);
    if (error)
        throw DataError(Kind::missing,
                        fmt::format("cannot read {}: {}", path.string(), error.message()));
    if (bytes == 0 || bytes % kRecord != 0)
        throw DataError(Kind::damaged, fmt::format("{}: {} bytes, expected n x 3,073",
                                                   path.string(), with_commas(bytes)));
    return static_cast<std::size_t>(bytes / kRecord);
}

void read_record(std::FILE* file, const fs::path& path, std::span<std::uint8_t> record) {
    if (std::fread(record.data(), 1, record.size(), file) == record.size()) return;
    const std::string reason =
        std::ferror(file) != 0 ? errno_text() : "it became shorter while it was read";
    throw DataError(Kind::damaged, fmt::format("cannot read {}: {}", path.string(), reason));
}

void append_file(const fs::path& path, std::size_t records, ImageSet& images) {
    const File file(std::fopen(path.c_str(), "rb"));
    if (!file)
        throw DataError(Kind::missing,
                        fmt::format("cannot open {}: {}", path.string(), errno_text()));
    std::array<std::uint8_t, kRecord> record{};
    for (std::size_t i = 0; i < records; ++i) {
        read_record(file.get(), path, record);
        if (record[0] >= kClasses)
            throw DataError(Kind::damaged,
                            fmt::format("{}: record {} (from 0) has label {}, expected 0..9",
                                        path.string(), i, record[0]));
        images.labels.push_back(record[0]);
        images.pixels.insert(images.pixels.end(), record.begin() + 1, record.end());
    }
}

ImageSet read_files(const fs::path& folder, std::span<const char* const> names) {
    std::vector<std::size_t> records;
    std::size_t total = 0;
    for (const char* name : names) {
        records.push_back(checked_record_count(folder / name));
        total += records.back();
    }
    ImageSet images;
    images.pixels.reserve(total * kPixels);
    images.labels.reserve(total);
    for (std::size_t i = 0; i < names.size(); ++i)
        append_file(folder / names[i], records[i], images);
    return images;
}

std::int64_t record_count(const fs::path& folder, std::span<const char* const> names) {
    std::size_t total = 0;
    for (const char* name : names) total += checked_record_count(folder / name);
    return static_cast<std::int64_t>(total);
}

constexpr Shape kShape{.height = 32, .width = 32, .channels = 3};

}  // namespace

std::vector<std::string> cifar10_class_names() {
    return {"airplane", "automobile", "bird",  "cat",  "deer",
            "dog",      "frog",       "horse", "ship", "truck"};
}

Dataset read_cifar10(const fs::path& path) {
    const fs::path folder = find_folder(path);
    return {"cifar10",
            kShape,
            class_names_in(folder),
            read_files(folder, kTrainingFiles),
            read_files(folder, kTestFiles),
            ""};
}

DatasetTraits official_cifar10_traits() { return {kShape, cifar10_class_names(), 50000, 10000}; }

DatasetTraits cifar10_traits(const fs::path& path) {
    try {
        const fs::path folder = find_folder(path);
        return {kShape, class_names_in(folder), record_count(folder, kTrainingFiles),
                record_count(folder, kTestFiles)};
    } catch (const DataError&) {
        // To check an experiment no data are needed; loading them says what is wrong.
        return official_cifar10_traits();
    }
}

}  // namespace lockstep::trainer
