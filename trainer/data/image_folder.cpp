#include "trainer/data/image_folder.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "liveness/pulse.hpp"
#include "trainer/data/data_folder.hpp"
#include "trainer/data/image_cache.hpp"
#include "trainer/data/image_file.hpp"
#include "trainer/data/image_listing.hpp"
#include "trainer/data/split_writer.hpp"

namespace lockstep::trainer {

namespace {

namespace fs = std::filesystem;

constexpr int kMostSide = 4096;
constexpr const char* kGrey = "grayscale";
constexpr const char* kNearest = "nearest";

Resizing resizing_of(const DataConfig& config) {
    const bool is_nearest = setting<std::string>(config, "interpolation") == kNearest;
    return {.interpolation = is_nearest ? Interpolation::nearest : Interpolation::bilinear,
            .crop_to_aspect_ratio = setting<bool>(config, "crop_to_aspect_ratio")};
}

Shape shape_of(const DataConfig& config) {
    const auto size = setting<std::array<int, 2>>(config, "image_size");
    const bool is_grey = setting<std::string>(config, "color_mode") == kGrey;
    return {.height = size[0], .width = size[1], .channels = is_grey ? 1 : 3};
}

ImageListing list_images(const DataConfig& config) {
    const double fraction = setting<double>(config, "test_fraction");
    if (fraction == 0.0) return list_splits(config.path);
    return list_divided(config.path, fraction,
                        static_cast<std::uint64_t>(setting<std::int64_t>(config, "seed")));
}

// ---- the cache -----------------------------------------------------------------------------

// Of all that decides the pixels: settings, and each file's split, label, path, size and time.
std::string cache_key(const ImageListing& listing, const DataConfig& config) {
    Sha256 digest;
    const auto add = [&](const std::string& text) {
        digest.update(std::as_bytes(std::span(text)));
        digest.update(std::as_bytes(std::span("", 1)));  // a NUL, which is in no path
    };
    add(dataset_key(config));
    for (const auto* split : {&listing.training, &listing.test}) {
        add(fmt::format("split {}", split->size()));
        for (const ListedImage& image : *split) {
            struct stat status {};
            if (::stat(image.path.c_str(), &status) != 0) continue;  // reading it says why
            add(image.path.string());
            add(fmt::format("{} {} {} {}", image.label, status.st_size, status.st_mtim.tv_sec,
                            status.st_mtim.tv_nsec));
        }
    }
    return digest.hex();
}

// One file for each folder and its settings: a change of images replaces it.
fs::path cache_path(const DataConfig& config) {
    if (config.cache_folder.empty()) return {};
    return config.cache_folder /
           fmt::format("images-{}.cache", sha256_hex(dataset_key(config)).substr(0, 16));
}

// ---- loading -------------------------------------------------------------------------------

using NextImage = std::function<void(const ListedImage&, std::vector<std::uint8_t>&)>;

ImageSet read_split(const std::vector<ListedImage>& images, const Shape& shape, std::size_t classes,
                    const NextImage& next, Sha256& digest) {
    SplitWriter writer(static_cast<std::int64_t>(images.size()), shape, classes, digest);
    std::vector<std::uint8_t> planes(static_cast<std::size_t>(shape.size()));
    for (const ListedImage& image : images) {
        liveness::note(liveness::Phase::data);
        next(image, planes);
        writer.append(planes, std::span(&image.label, 1));
    }
    return std::move(writer).finish();
}

// The data set, its images in the order of the listing as `next` gives them.
Dataset assembled(const ImageListing& listing, const Shape& shape, const NextImage& next) {
    Sha256 digest = begin_digest(static_cast<std::int64_t>(listing.training.size()),
                                 static_cast<std::int64_t>(listing.test.size()), shape);
    const std::size_t classes = listing.class_names.size();
    Dataset dataset{"image_folder",
                    shape,
                    listing.class_names,
                    read_split(listing.training, shape, classes, next, digest),
                    read_split(listing.test, shape, classes, next, digest),
                    {}};
    dataset.digest = digest.hex();
    return dataset;
}

std::int64_t pixel_bytes(const ImageListing& listing, const Shape& shape) {
    return static_cast<std::int64_t>(listing.training.size() + listing.test.size()) * shape.size();
}

std::optional<Dataset> from_cache(const ImageListing& listing, const Shape& shape,
                                  const fs::path& path, const std::string& key) {
    auto cache = CachedImages::open(path, key, pixel_bytes(listing, shape));
    if (!cache) return std::nullopt;
    try {
        Dataset dataset = assembled(
            listing, shape,
            [&](const ListedImage&, std::vector<std::uint8_t>& planes) { cache->read(planes); });
        if (cache->read_digest() == dataset.digest) return dataset;
    } catch (const DataError&) {  // as good as no cache
    }
    return std::nullopt;
}

Dataset decoded(const ImageListing& listing, const DataConfig& config, const fs::path& path,
                const std::string& key) {
    const Shape shape = shape_of(config);
    const Resizing resizing = resizing_of(config);
    NewCachedImages cache(path, key);
    Dataset dataset =
        assembled(listing, shape, [&](const ListedImage& image, std::vector<std::uint8_t>& planes) {
            planes = image_planes(read_image(image.path), shape, resizing);
            cache.append(planes);
        });
    cache.finish(dataset.digest);
    return dataset;
}

Dataset load(const DataConfig& config) {
    const ImageListing listing = list_images(config);
    const Shape shape = shape_of(config);
    check_memory(fmt::format("{}: images of this size have", config.path.string()),
                 pixel_bytes(listing, shape));
    const fs::path path = cache_path(config);
    const std::string key = cache_key(listing, config);
    if (auto dataset = from_cache(listing, shape, path, key)) return std::move(*dataset);
    return decoded(listing, config, path, key);
}

// ---- traits --------------------------------------------------------------------------------

DatasetTraits nominal(const DataConfig& config) {
    return {shape_of(config), {}, 0, 0, "the folders of the images", ""};
}

DatasetTraits traits(const DataConfig& config) {
    const ImageListing listing = list_images(config);
    DatasetTraits traits{shape_of(config),
                         listing.class_names,
                         static_cast<std::int64_t>(listing.training.size()),
                         static_cast<std::int64_t>(listing.test.size()),
                         fmt::format("the sub-folders of {}", config.path.string()),
                         ""};
    if (listing.others > 0)
        traits.warning = fmt::format(
            "in {} {} left out: names of images end in .png, .jpg, .jpeg, .ppm, .pgm or .pnm",
            config.path.string(),
            listing.others == 1 ? "1 file is" : fmt::format("{} files are", listing.others));
    return traits;
}

}  // namespace

DatasetKind image_folder_kind() {
    return {
        .word = "image_folder",
        .settings = {{"image_size", SizeSetting{{256, 256}, kMostSide}},
                     {"interpolation", WordSetting{{"bilinear", kNearest}}},
                     {"crop_to_aspect_ratio", TruthSetting{false}},
                     {"color_mode", WordSetting{{"rgb", kGrey}}},
                     {"test_fraction", FractionSetting{0.0}},
                     {"seed", WholeSetting{1, 0, std::numeric_limits<std::int64_t>::max()}}},
        .load = load,
        .require = [](const DataConfig& config) { list_images(config); },
        .traits = traits,
        .nominal_traits = nominal,
        .resizing = resizing_of,
    };
}

}  // namespace lockstep::trainer
