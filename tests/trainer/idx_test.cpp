// MNIST's files, made here byte by byte from the format's own description.

#include "trainer/data/idx.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/mutations.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/refusal.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/determinism/digest.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::Refusal;
using lockstep::tests::refusal_by;
using lockstep::tests::TemporaryDirectory;

const std::vector<std::string> kFiles{"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                      "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

std::string packed(const std::string& bytes) {
    const TemporaryDirectory folder;
    const std::string path = (folder / "packed").string();
    gzFile file = gzopen(path.c_str(), "wb");
    REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) ==
            static_cast<int>(bytes.size()));
    REQUIRE(gzclose(file) == Z_OK);
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string number(std::uint32_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
}

constexpr std::uint32_t kRows = 5;
constexpr std::uint32_t kColumns = 3;

// Image k has the pixels 20 k, 20 k + 1, ...
std::string images(std::uint32_t count, std::uint32_t first = 0) {
    std::string bytes = number(0x803) + number(count) + number(kRows) + number(kColumns);
    for (std::uint32_t k = first; k < first + count; ++k)
        for (std::uint32_t i = 0; i < kRows * kColumns; ++i) bytes += static_cast<char>(20 * k + i);
    return bytes;
}

std::string labels(const std::vector<std::uint8_t>& values) {
    std::string bytes = number(0x801) + number(static_cast<std::uint32_t>(values.size()));
    bytes.append(values.begin(), values.end());
    return bytes;
}

void write_small_set(const fs::path& folder) {
    fs::create_directories(folder);
    write_file(folder / kFiles[0], images(4));
    write_file(folder / kFiles[1], labels({3, 9, 0, 3}));
    write_file(folder / kFiles[2], images(2, 7));
    write_file(folder / kFiles[3], labels({1, 5}));
}

DataConfig config_of(const fs::path& path, const std::string& word = "mnist") {
    DataConfig config;
    config.dataset = word;
    config.path = path;
    return config;
}

// Packs a file that is there.
void pack(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    write_file(path.string() + ".gz", packed(bytes));
    fs::remove(path);
}

Refusal refusal_of(const fs::path& path) {
    return refusal_by([&path] { load_dataset(config_of(path)); });
}

}  // namespace

TEST_CASE("IDX: images and labels in file order, plain and packed alike", "[idx]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto plain = load_dataset(config_of(folder.path()));
    CHECK(plain->shape == Shape{.height = 5, .width = 3, .channels = 1});
    CHECK(plain->training.labels == std::vector<Label>{3, 9, 0, 3});
    CHECK(plain->test.labels == std::vector<Label>{1, 5});
    REQUIRE(plain->training.pixels.size() == 4 * 15);
    CHECK(plain->training.pixels[15] == 20);
    CHECK(plain->training.pixels[59] == 74);
    CHECK(plain->test.pixels[0] == 140);
    CHECK(plain->digest ==
          sha256_hex("images 4 2 1 5 3\n" + images(4).substr(16) + labels({3, 9, 0, 3}).substr(8) +
                     images(2, 7).substr(16) + labels({1, 5}).substr(8)));
    for (const std::string& name : kFiles) {
        pack(folder / name);
        CHECK(load_dataset(config_of(folder.path()))->digest == plain->digest);
    }
}

TEST_CASE("IDX: class names and traits", "[idx]") {
    const TemporaryDirectory folder;
    const DatasetTraits published = dataset_traits(config_of(folder / "nowhere", "fashion_mnist"));
    CHECK(published.shape == Shape{.height = 28, .width = 28, .channels = 1});
    CHECK(published.class_names == std::vector<std::string>{"T-shirt/top", "Trouser", "Pullover",
                                                            "Dress", "Coat", "Sandal", "Shirt",
                                                            "Sneaker", "Bag", "Ankle boot"});
    CHECK(published.training_samples == 60000);
    CHECK(published.test_samples == 10000);
    write_small_set(folder.path());
    pack(folder / kFiles[0]);
    const DatasetTraits traits = dataset_traits(config_of(folder.path()));
    CHECK(traits.shape == Shape{.height = 5, .width = 3, .channels = 1});
    CHECK(traits.class_names ==
          std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
    CHECK(traits.training_samples == 4);
    CHECK(traits.test_samples == 2);
}

TEST_CASE("IDX: the files are found by the set's name, for both have the same files", "[idx]") {
    const TemporaryDirectory top;
    write_small_set(top / "fashion-mnist");
    CHECK(load_dataset(config_of(top.path(), "fashion_mnist"))->training.count() == 4);
    const Refusal refusal = refusal_of(top.path());
    CHECK(refusal.kind == DataError::Kind::missing);
    CHECK(refusal.says("MNIST in " + top.path().string() + ": train-images-idx3-ubyte"));
    CHECK(refusal.says("it holds fashion-mnist"));
    write_small_set(top / "MNIST" / "raw");
    CHECK(load_dataset(config_of(top.path()))->test.count() == 2);
    fs::remove(top / "MNIST" / "raw" / kFiles[3]);
    CHECK(refusal_of(top.path()).says(": t10k-labels-idx1-ubyte missing, as they are or with .gz"));
    CHECK(refusal_of(top / "nowhere").says("there is no such folder"));
}

TEST_CASE("IDX: damaged files are refused with what is wrong", "[idx]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto refused = [&](std::size_t file, const std::string& bytes, const std::string& words) {
        write_small_set(folder.path());
        write_file(folder / kFiles[file], bytes);
        const Refusal refusal = refusal_of(folder.path());
        CAPTURE(refusal.message, words);
        CHECK(refusal.kind == DataError::Kind::damaged);
        CHECK(refusal.says((folder / kFiles[file]).string() + ": "));
        CHECK(refusal.says(words));
    };
    const std::string good = images(4);
    refused(0, labels({1, 2, 3, 4}), "it begins with 0x00000801, expected 0x00000803");
    refused(1, good, "it begins with 0x00000803, expected 0x00000801");
    refused(0, good + "x", "77 bytes, expected 76");
    refused(0, good.substr(0, 75), "75 bytes, expected 76");
    refused(0, good.substr(0, 11), "it ends after 11 bytes");
    refused(0, "", "it ends after 0 bytes");
    refused(0, "\x1f", "it ends after 1 bytes");
    refused(1, labels({1, 2, 3}), "3 labels for the 4 images of ");
    refused(3, labels({1, 10}), "label 1 (from 0) is 10, expected 0..9");
    refused(1, labels({1, 2, 3, 4}) + "5", "13 bytes, expected 12");
    refused(0, number(0x803) + number(0) + number(5) + number(3), "0 images, expected 1 to");
    refused(0, number(0x803) + number(4'000'000'000U) + number(5) + number(3),
            "4,000,000,000 images, expected 1 to 10,000,000");
    refused(0, number(0x803) + number(1) + number(0) + number(3), "images of 0 x 3");
    refused(0, number(0x803) + number(1) + number(3) + number(4'294'967'295U), "sides of 1 to");
    write_small_set(folder.path());
    write_file(folder / kFiles[2], number(0x803) + number(2) + number(1) + number(1) + "ab");
    CHECK(refusal_of(folder.path()).says("images of 1 x 1, those of "));
}

TEST_CASE("IDX: packed files that are cut, changed or too long are refused", "[idx]") {
    const TemporaryDirectory folder;
    const auto refused = [&](const std::string& bytes, const std::string& words) {
        write_small_set(folder.path());
        fs::remove(folder / kFiles[0]);
        write_file(folder / (kFiles[0] + ".gz"), bytes);
        const Refusal refusal = refusal_of(folder.path());
        CAPTURE(refusal.message, words);
        CHECK(refusal.kind == DataError::Kind::damaged);
        CHECK(refusal.says(words));
    };
    const std::string good = packed(images(4));
    std::string other_sum = good;
    other_sum[other_sum.size() - 8] = static_cast<char>(other_sum[other_sum.size() - 8] ^ 1);
    refused(good.substr(0, good.size() - 1), "it is cut off: its gzip data do not end");
    refused(good.substr(0, good.size() / 2), "it is cut off: its gzip data do not end");
    refused(good.substr(0, 2), "it is cut off: its gzip data do not end");
    refused(other_sum, "its gzip data are damaged (incorrect data check)");
    refused(good + "x", "it has more bytes than it declares");
    refused(packed(images(4) + "x"), "it has more bytes than it declares");
    refused(packed(images(4).substr(0, 70)), "its unpacked data end 6 bytes too early");
    // What declares more than a file of this size can hold is refused before memory is asked for.
    refused(packed(number(0x803) + number(10'000'000) + number(28) + number(28)),
            "bytes, expected");
}

TEST_CASE("IDX: mutations are read or refused", "[idx]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    fs::remove(folder / kFiles[0]);
    const auto readings = lockstep::tests::read_mutations<DataError>(
        packed(images(4)), 300, 7, [&](const std::string& text) {
            write_file(folder / (kFiles[0] + ".gz"), text);
            load_dataset(config_of(folder.path()));
        });
    CHECK(readings.given == 300);
    CHECK(readings.taken < 100);  // bytes of gzip's header that mean nothing
}

TEST_CASE("Fashion-MNIST: the real files have 6,000 and 1,000 images of each class",
          "[.needs-fashion_mnist]") {
    const auto dataset =
        load_dataset(config_of("/usr/share/datasets/fashion-mnist", "fashion_mnist"));
    CHECK(dataset->shape == Shape{.height = 28, .width = 28, .channels = 1});
    for (Label label = 0; label < 10; ++label) {
        CHECK(std::ranges::count(dataset->training.labels, label) == 6000);
        CHECK(std::ranges::count(dataset->test.labels, label) == 1000);
    }
    CHECK(dataset->training.pixels.size() == 60000 * 784);
    CHECK(dataset->training.labels[0] == 9);  // an ankle boot, as everywhere
}
