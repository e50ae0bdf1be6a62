#include "trainer/data/image_listing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <utility>

#include "trainer/config/errors.hpp"
#include "trainer/data/class_names.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/image_file.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/determinism/random.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;
using Kind = DataError::Kind;

[[noreturn]] void throw_missing(const fs::path& folder, const std::string& what) {
    throw DataError(
        Kind::missing,
        fmt::format("images in {}: {}; expected folders train and test in it, each with "
                    "a sub-folder a class, or data.test_fraction, which divides one "
                    "folder of such sub-folders; {}",
                    folder.string(), what, what_is_there(folder)));
}

bool is_folder(const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
}

// The classes of a folder, sorted bytewise.
std::vector<std::string> classes_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::path& entry : entries_of(folder)) {
        const std::string name = entry.filename().string();
        if (name.starts_with('.') || !is_folder(entry)) continue;
        if (const auto fault = fault_of_class_name(name))
            throw DataError(Kind::damaged,
                            fmt::format("the folder {} names a class, and its name {}",
                                        entry.string(), *fault));
        names.push_back(name);
    }
    std::ranges::sort(names);
    return names;
}

void check_classes(const fs::path& folder, std::size_t classes) {
    if (classes == 0) throw_missing(folder, "there are no sub-folders");
    if (classes == 1)
        throw DataError(Kind::damaged,
                        fmt::format("{} has one sub-folder, which is one class; two or "
                                    "more are something to learn",
                                    folder.string()));
    if (classes > kMostClasses)
        throw DataError(
            Kind::damaged,
            fmt::format("{} has {} sub-folders, which are classes; labels tell {} apart",
                        folder.string(), classes, kMostClasses));
}

std::vector<ListedImage> images_of(const fs::path& folder,
                                   const std::vector<std::string>& class_names,
                                   std::int64_t& others) {
    std::vector<ListedImage> images;
    for (std::size_t label = 0; label < class_names.size(); ++label) {
        const fs::path of_class = folder / class_names[label];
        if (!is_folder(of_class)) continue;  // of a test folder: no image of this class
        for (const fs::path& path : image_files_in(of_class, &others))
            images.push_back({path, static_cast<Label>(label)});
    }
    if (images.empty())
        throw_missing(folder, "there are no PNG, JPEG or PNM files in its sub-folders");
    if (static_cast<std::int64_t>(images.size()) > kMostSamples)
        throw DataError(Kind::damaged,
                        fmt::format("{} has {} images, expected at most {}", folder.string(),
                                    with_commas(static_cast<std::int64_t>(images.size())),
                                    with_commas(kMostSamples)));
    return images;
}

// Which of a class's images become the test split.
std::vector<bool> drawn_of(std::size_t images, Label label, double fraction, std::uint64_t seed) {
    const auto count =
        static_cast<std::size_t>(std::floor(fraction * static_cast<double>(images) + 0.5));
    std::vector<std::size_t> members(images);
    for (std::size_t i = 0; i < images; ++i) members[i] = i;
    draw_to_front(members, count, label, random_key(seed, Purpose::test_split));
    std::vector<bool> is_drawn(images);
    for (std::size_t i = 0; i < count; ++i) is_drawn[members[i]] = true;
    return is_drawn;
}

}  // namespace

ImageListing list_splits(const fs::path& path) {
    for (const char* split : {"train", "test"})
        if (!is_folder(path / split))
            throw_missing(path, fmt::format("there is no folder {}", split));
    ImageListing listing;
    listing.class_names = classes_in(path / "train");
    check_classes(path / "train", listing.class_names.size());
    for (const std::string& name : classes_in(path / "test"))
        if (!std::ranges::binary_search(listing.class_names, name))
            throw DataError(Kind::damaged,
                            fmt::format("{} has the class \"{}\", and {} has not",
                                        (path / "test").string(), name, (path / "train").string()));
    listing.training = images_of(path / "train", listing.class_names, listing.others);
    listing.test = images_of(path / "test", listing.class_names, listing.others);
    return listing;
}

ImageListing list_divided(const fs::path& path, double fraction, std::uint64_t seed) {
    ImageListing listing;
    listing.class_names = classes_in(path);
    check_classes(path, listing.class_names.size());
    const std::vector<ListedImage> all = images_of(path, listing.class_names, listing.others);
    for (auto first = all.begin(); first != all.end();) {
        const Label label = first->label;
        const auto last = std::find_if(
            first, all.end(), [&](const ListedImage& image) { return image.label != label; });
        const auto is_test =
            drawn_of(static_cast<std::size_t>(last - first), label, fraction, seed);
        for (std::size_t i = 0; first != last; ++first, ++i)
            (is_test[i] ? listing.test : listing.training).push_back(*first);
    }
    if (listing.test.empty() || listing.training.empty())
        throw DataError(
            Kind::bad_request,
            fmt::format("test_fraction = {} leaves {} of the {} images of {} to train on "
                        "and {} to test on; both need some",
                        fraction, listing.training.size(), all.size(), path.string(),
                        listing.test.size()));
    return listing;
}

}  // namespace lockstep::trainer
