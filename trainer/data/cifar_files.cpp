#include "trainer/data/cifar_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "trainer/data/class_names.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/regular_file.hpp"
#include "trainer/data/split_writer.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;
using Kind = DataError::Kind;

constexpr Shape kShape{.height = 32, .width = 32, .channels = 3};
constexpr std::size_t kPixels = 3 * 32 * 32;

// ---- finding the folder --------------------------------------------------------------------

std::vector<std::string> all_files(const CifarFormat& format) {
    std::vector<std::string> names = format.training_files;
    names.insert(names.end(), format.test_files.begin(), format.test_files.end());
    return names;
}

bool has_any_file(const CifarFormat& format, const fs::path& folder) {
    return std::ranges::any_of(all_files(format),
                               [&](const std::string& name) { return is_there(folder / name); });
}

std::vector<fs::path> folders_with_files(const CifarFormat& format, const fs::path& path) {
    if (has_any_file(format, path)) return {path};
    if (has_any_file(format, path / format.folder)) return {path / format.folder};
    std::vector<fs::path> found = entries_of(path);
    std::erase_if(found, [&](const fs::path& entry) { return !has_any_file(format, entry); });
    return found;
}

[[noreturn]] void throw_missing(const CifarFormat& format, const fs::path& folder,
                                const std::string& what) {
    throw DataError(Kind::missing,
                    fmt::format("{} in {}: {}; expected {}; {}. {}", format.title, folder.string(),
                                what, format.expected, what_is_there(folder), format.source));
}

fs::path find_folder(const CifarFormat& format, const fs::path& path) {
    const std::vector<fs::path> found = folders_with_files(format, path);
    if (found.empty()) throw_missing(format, path, "none of the batch files found");
    if (found.size() > 1)
        throw_missing(format, path,
                      fmt::format("batch files in {} folders of it, of which none is named "
                                  "{}: name the one to use",
                                  found.size(), format.folder));
    std::string missing;
    for (const std::string& name : all_files(format))
        if (!is_there(found[0] / name)) missing += (missing.empty() ? "" : ", ") + name;
    if (!missing.empty()) throw_missing(format, found[0], missing + " missing");
    return found[0];
}

// ---- class names ---------------------------------------------------------------------------

struct NamesInUse {
    std::vector<std::string> names;  // by label
    std::string origin;              // in words
    std::string warning;             // of names that are not taken
};

NamesInUse own_names(const CifarFormat& format, const std::string& reason) {
    return {format.class_names, fmt::format("{}'s own: {}", format.title, reason), {}};
}

NamesInUse class_names_in(const CifarFormat& format, const fs::path& folder) {
    const fs::path path = folder / format.names_file;
    if (!is_there(path))
        return own_names(format, fmt::format("{} has no {}", folder.string(), format.names_file));
    ClassNames read = read_class_names(path);
    if (read.problem.empty()) return {std::move(read.names), "those of " + path.string(), {}};
    NamesInUse used =
        own_names(format, fmt::format("{} is not taken, since {}", path.string(), read.problem));
    used.warning = fmt::format("the class names in {} are not taken: {}; {} are used",
                               path.string(), read.problem, format.names_in_words);
    return used;
}

// ---- reading -------------------------------------------------------------------------------

std::int64_t record_size(const CifarFormat& format) {
    return static_cast<std::int64_t>(format.label_bytes + kPixels);
}

struct BatchFile {
    fs::path path;
    RegularFile content;
    std::int64_t records = 0;
};

BatchFile open_batch(const CifarFormat& format, const fs::path& path) {
    BatchFile file{path, RegularFile(path), 0};
    const std::int64_t bytes = file.content.size();
    const std::int64_t record = record_size(format);
    if (bytes == 0 || bytes % record != 0)
        throw DataError(Kind::damaged, fmt::format("{}: {} bytes, expected n x {}", path.string(),
                                                   with_commas(bytes), with_commas(record)));
    file.records = bytes / record;
    return file;
}

// The files of a split, opened, with their lengths checked.
struct Split {
    std::vector<BatchFile> files;
    std::int64_t records = 0;
};

Split open_split(const CifarFormat& format, const fs::path& folder,
                 const std::vector<std::string>& names) {
    Split split;
    for (const std::string& name : names) {
        split.files.push_back(open_batch(format, folder / name));
        split.records += split.files.back().records;
        if (split.records > kMostSamples)
            throw DataError(
                Kind::damaged,
                fmt::format("{}: with its {} bytes there are {} records of {}, "
                            "expected at most {} in a split",
                            (folder / name).string(),
                            with_commas(split.files.back().content.size()),
                            with_commas(split.records), with_commas(record_size(format)),
                            with_commas(kMostSamples)));
    }
    return split;
}

[[noreturn]] void throw_label(const CifarFormat& format, const BatchFile& file, std::int64_t record,
                              int label, const NamesInUse& names) {
    throw DataError(
        Kind::damaged,
        fmt::format("{}: record {} (from 0) has label {} at byte {}, expected 0..{}: {} classes "
                    "have names, {}",
                    file.path.string(), record, label,
                    record * record_size(format) + static_cast<std::int64_t>(format.label_place),
                    names.names.size() - 1, names.names.size(), names.origin));
}

// Records that are read at once: they stay in L2 while they are taken apart, stored and digested.
constexpr std::size_t kRecordsAtOnce = 64;

void append_file(const CifarFormat& format, BatchFile& file, const NamesInUse& names,
                 SplitWriter& images) {
    const auto size = static_cast<std::size_t>(record_size(format));
    std::vector<std::uint8_t> records(kRecordsAtOnce * size);
    std::vector<std::uint8_t> pixels(kRecordsAtOnce * kPixels);
    std::array<Label, kRecordsAtOnce> labels{};
    for (std::int64_t first = 0; first < file.records;) {
        const auto count =
            static_cast<std::size_t>(std::min<std::int64_t>(kRecordsAtOnce, file.records - first));
        file.content.read(std::span(records).first(count * size));
        for (std::size_t i = 0; i < count; ++i, ++first) {
            const std::uint8_t* record = &records[i * size];
            labels[i] = record[format.label_place];
            if (labels[i] >= names.names.size()) throw_label(format, file, first, labels[i], names);
            std::copy_n(record + format.label_bytes, kPixels, &pixels[i * kPixels]);
        }
        images.append(std::span(pixels).first(count * kPixels), std::span(labels).first(count));
    }
}

ImageSet read_split(const CifarFormat& format, Split& split, const NamesInUse& names,
                    Sha256& digest) {
    SplitWriter images(split.records, kShape, names.names.size(), digest);
    for (BatchFile& file : split.files) append_file(format, file, names, images);
    return std::move(images).finish();
}

}  // namespace

void require_cifar(const CifarFormat& format, const fs::path& path) { find_folder(format, path); }

Dataset read_cifar(const CifarFormat& format, const fs::path& path) {
    const fs::path folder = find_folder(format, path);
    NamesInUse names = class_names_in(format, folder);
    Split training = open_split(format, folder, format.training_files);
    Split test = open_split(format, folder, format.test_files);
    check_memory(fmt::format("{}: the batch files hold", folder.string()),
                 (training.records + test.records) * record_size(format));
    Sha256 digest = begin_digest(training.records, test.records, kShape);
    Dataset dataset{format.word,
                    kShape,
                    {},
                    read_split(format, training, names, digest),
                    read_split(format, test, names, digest),
                    digest.hex()};
    dataset.class_names = std::move(names.names);
    return dataset;
}

DatasetTraits official_cifar_traits(const CifarFormat& format) {
    return {kShape,
            format.class_names,
            format.training_samples,
            format.test_samples,
            format.title + "'s own",
            ""};
}

DatasetTraits cifar_traits(const CifarFormat& format, const fs::path& path) {
    DatasetTraits traits = official_cifar_traits(format);
    try {
        const fs::path folder = find_folder(format, path);
        NamesInUse names = class_names_in(format, folder);
        traits.class_names = std::move(names.names);
        traits.class_names_origin = std::move(names.origin);
        traits.warning = std::move(names.warning);
        const std::int64_t training_samples =
            open_split(format, folder, format.training_files).records;
        traits.test_samples = open_split(format, folder, format.test_files).records;
        traits.training_samples = training_samples;
    } catch (const DataError& error) {
        // To check an experiment no data are needed; loading them says what is wrong.
        if (error.kind() == Kind::unreadable) throw;
        if (error.kind() == Kind::missing)
            traits.class_names_origin =
                own_names(format, "there are no data in " + path.string()).origin;
    }
    return traits;
}

}  // namespace lockstep::trainer
