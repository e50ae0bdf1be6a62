// Folders of images: which files are taken as what, how they are divided, and the cache.

#include "trainer/data/image_folder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/refusal.hpp"
#include "trainer/data/dataset.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::refusal_of;
using lockstep::tests::TemporaryDirectory;

// A picture of 2 x 2 pixels, all of one colour.
std::string picture(char red, char green = 0, char blue = 0) {
    std::string bytes = "P6 2 2 255\n";
    for (int i = 0; i < 4; ++i) bytes += {red, green, blue};
    return bytes;
}

void write_file(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

DataConfig config_of(const fs::path& path) {
    DataConfig config;
    config.dataset = "image_folder";
    config.path = path;
    config.settings["image_size"] = std::array<int, 2>{2, 2};
    return config;
}

DataConfig divided(const fs::path& path, double fraction, std::int64_t seed = 1) {
    DataConfig config = config_of(path);
    config.settings["test_fraction"] = fraction;
    config.settings["seed"] = seed;
    return config;
}

// The first pixel's red of each image: what tells the pictures apart.
std::vector<int> reds(const ImageSet& images) {
    std::vector<int> values;
    for (std::size_t i = 0; i < images.pixels.size(); i += 12) values.push_back(images.pixels[i]);
    return values;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

void write_two_splits(const fs::path& folder) {
    write_file(folder / "train" / "cat" / "b.ppm", picture(2));
    write_file(folder / "train" / "cat" / "a.PPM", picture(1));
    write_file(folder / "train" / "cat" / "sub" / "a.ppm", picture(3));
    write_file(folder / "train" / "Zebra" / "x.ppm", picture(4, 5, 6));
    write_file(folder / "test" / "cat" / "c.ppm", picture(7));
    write_file(folder / "test" / "Zebra" / "y.ppm", picture(8));
}

// Two classes of so many pictures each, whose red tells the number.
void write_one_folder(const fs::path& folder, int count) {
    for (int i = 0; i < count; ++i) {
        write_file(folder / "a" / (std::to_string(100 + i) + ".ppm"),
                   picture(static_cast<char>(i)));
        write_file(folder / "b" / (std::to_string(100 + i) + ".ppm"),
                   picture(static_cast<char>(100 + i)));
    }
}

}  // namespace

TEST_CASE("image folders: classes and files are sorted bytewise", "[image_folder]") {
    const TemporaryDirectory folder;
    write_two_splits(folder.path());
    write_file(folder / "train" / ".hidden" / "h.ppm", picture(9));
    write_file(folder / "train" / "readme.txt", "no class");
    write_file(folder / "train" / "cat" / "notes.txt", "no image");
    const auto dataset = load_dataset(config_of(folder.path()));
    CHECK(dataset->class_names == std::vector<std::string>{"Zebra", "cat"});
    CHECK(dataset->training.labels == std::vector<Label>{0, 1, 1, 1});
    CHECK(reds(dataset->training) == std::vector<int>{4, 1, 2, 3});
    CHECK(reds(dataset->test) == std::vector<int>{8, 7});
    CHECK(dataset->training.pixels[4] == 5);  // the plane of green
    const DatasetTraits traits = dataset_traits(config_of(folder.path()));
    CHECK(traits.class_names == dataset->class_names);
    CHECK(traits.training_samples == 4);
    CHECK(traits.test_samples == 2);
    CHECK(contains(traits.warning, "1 file is left out"));
}

TEST_CASE("image folders: one channel is the luma", "[image_folder]") {
    const TemporaryDirectory folder;
    write_two_splits(folder.path());
    DataConfig config = config_of(folder.path());
    config.settings["color_mode"] = std::string("grayscale");
    const auto dataset = load_dataset(config);
    CHECK(dataset->shape == Shape{.height = 2, .width = 2, .channels = 1});
    CHECK(dataset->training.pixels.size() == 16);
    CHECK(dataset->training.pixels[0] == (299 * 4 + 587 * 5 + 114 * 6 + 500) / 1000);
}

TEST_CASE("image folders: a fraction of each class is drawn by the seed alone", "[image_folder]") {
    const TemporaryDirectory folder;
    write_one_folder(folder.path(), 10);
    const auto dataset = load_dataset(divided(folder.path(), 0.25));
    const std::vector<int> test = reds(dataset->test);
    CHECK(dataset->test.labels == std::vector<Label>{0, 0, 0, 1, 1, 1});  // 2.5 is rounded up
    CHECK(dataset->training.count() == 14);
    CHECK(std::ranges::is_sorted(test));
    CHECK(std::ranges::is_sorted(reds(dataset->training)));
    std::set<int> all(test.begin(), test.end());
    for (const int red : reds(dataset->training)) CHECK(all.insert(red).second);
    CHECK(all.size() == 20);
    CHECK(reds(load_dataset(divided(folder.path(), 0.25))->test) == test);
    CHECK(reds(load_dataset(divided(folder.path(), 0.25, 2))->test) != test);
    // Another class changes nothing of those in front of it.
    write_file(folder / "c" / "1.ppm", picture(50));
    const auto more = load_dataset(divided(folder.path(), 0.25));
    CHECK(reds(more->test) == test);
    CHECK(more->training.labels.back() == 2);
    CHECK(refusal_of(divided(folder.path(), 0.01)).says("leaves 21 of the 21 images"));
}

TEST_CASE("image folders: what is missing or no class is told", "[image_folder]") {
    const TemporaryDirectory folder;
    CHECK(refusal_of(config_of(folder / "nowhere")).says("there is no such folder"));
    write_one_folder(folder / "one", 2);
    CHECK(refusal_of(config_of(folder / "one"))
              .says("there is no folder train; expected folders train and test in it, each with a "
                    "sub-folder a class, or data.test_fraction"));
    CHECK_THROWS_AS(dataset_traits(config_of(folder / "one")), DataError);
    write_two_splits(folder / "two");
    write_file(folder / "two" / "test" / "dog" / "d.ppm", picture(1));
    CHECK(refusal_of(config_of(folder / "two")).says("has the class \"dog\", and "));
    fs::remove_all(folder / "two" / "test" / "dog");
    write_file(folder / "two" / "train" / "cat" / "bad.ppm", "P6 2 2 255\nxy");
    CHECK(refusal_of(config_of(folder / "two")).says("/train/cat/bad.ppm: "));
    write_file(folder / "three" / "a" / "1.ppm", picture(1));
    CHECK(refusal_of(divided(folder / "three", 0.5)).says("has one sub-folder"));
    write_file(folder / "three" / "b\x1b" / "1.ppm", picture(1));
    CHECK(refusal_of(divided(folder / "three", 0.5)).says("has a control character"));
    fs::create_directories(folder / "four" / "a");
    fs::create_directories(folder / "four" / "b");
    CHECK(refusal_of(divided(folder / "four", 0.5)).says("there are no PNG, JPEG or PNM"));
}

namespace {

// A folder of images, and the one cache file of it.
class Cached {
public:
    Cached() {
        write_one_folder(folder_ / "images", 3);
        config_ = divided(folder_ / "images", 0.4);
        config_.cache_folder = folder_ / "cache";
    }

    std::string digest() const { return load_dataset(config_)->digest; }
    std::string digest_without() const {
        DataConfig config = config_;
        config.cache_folder.clear();
        return load_dataset(config)->digest;
    }
    fs::path image() const { return folder_ / "images" / "a" / "101.ppm"; }
    // The only file there must be.
    fs::path file() const {
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(folder_ / "cache")) files.push_back(entry);
        REQUIRE(files.size() == 1);
        return files[0];
    }
    // Another picture of the same size and time.
    void change_in_secret() const {
        const auto time = fs::last_write_time(image());
        write_file(image(), picture(77));
        fs::last_write_time(image(), time);
    }
    DataConfig& config() { return config_; }

private:
    TemporaryDirectory folder_;
    DataConfig config_;
};

}  // namespace

TEST_CASE("image folders: the second time images come out of the cache", "[image_folder]") {
    const Cached cached;
    const std::string first = cached.digest();
    CHECK(first == cached.digest_without());
    cached.change_in_secret();
    CHECK(cached.digest_without() != first);
    CHECK(cached.digest() == first);  // the file was not read
    const auto time = fs::last_write_time(cached.image());
    fs::last_write_time(cached.image(), time + std::chrono::seconds(1));
    CHECK(cached.digest() == cached.digest_without());
    CHECK(cached.digest() != first);
    CHECK(fs::exists(cached.file()));  // replaced, not beside the old one
}

TEST_CASE("image folders: a damaged cache is made anew", "[image_folder]") {
    const Cached cached;
    const std::string right = cached.digest();
    const std::string content = read_file(cached.file());
    for (std::size_t place = 0; place < content.size(); place += 7) {
        std::string changed = content;
        changed[place] = static_cast<char>(changed[place] ^ 4);
        write_file(cached.file(), changed);
        CHECK(cached.digest() == right);
        CHECK(read_file(cached.file()) == content);
    }
    for (const std::string& changed : {std::string(), content.substr(0, content.size() - 1),
                                       content + "x", std::string(content.size(), '\0')}) {
        write_file(cached.file(), changed);
        CHECK(cached.digest() == right);
        CHECK(read_file(cached.file()) == content);
    }
}

TEST_CASE("image folders: no cache can be written, and nothing is missed", "[image_folder]") {
    Cached cached;
    const std::string right = cached.digest_without();
    write_file(cached.config().cache_folder.parent_path() / "file", "");
    cached.config().cache_folder = cached.config().cache_folder.parent_path() / "file" / "cache";
    CHECK(cached.digest() == right);
}
