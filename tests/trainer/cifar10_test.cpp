#include "trainer/data/cifar10.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/needs.hpp"
#include "tests/support/temporary_directory.hpp"
#include "trainer/determinism/digest.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::TemporaryDirectory;

const std::vector<std::string> kFiles = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                         "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
constexpr std::size_t kPixels = 3072;

void write_file(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
}

// Pixel i of the image is (first + i) mod 251, so every one can be told from its neighbours.
std::string record(std::uint8_t label, std::size_t first) {
    std::string bytes(1, static_cast<char>(label));
    for (std::size_t i = 0; i < kPixels; ++i) bytes += static_cast<char>((first + i) % 251);
    return bytes;
}

// File k holds the labels k and k + 4; the test file one label, 9.
void write_small_set(const fs::path& folder) {
    fs::create_directories(folder);
    for (std::size_t k = 0; k < 5; ++k)
        write_file(folder / kFiles[k], record(static_cast<std::uint8_t>(k), 10 * k) +
                                           record(static_cast<std::uint8_t>(k + 4), 10 * k + 5));
    write_file(folder / kFiles[5], record(9, 99));
}

struct Refusal {
    DataError::Kind kind{};
    std::string message;

    bool says(const std::string& words) const { return message.find(words) != std::string::npos; }
};

Refusal refusal_of(const fs::path& path) {
    try {
        read_cifar10(path);
    } catch (const DataError& error) {
        return {error.kind(), error.what()};
    }
    FAIL("no DataError for " << path);
    return {};
}

}  // namespace

TEST_CASE("CIFAR-10: records become pixels and labels in file order", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const Dataset dataset = read_cifar10(folder.path());
    CHECK(dataset.training.labels == std::vector<std::uint8_t>{0, 4, 1, 5, 2, 6, 3, 7, 4, 8});
    CHECK(dataset.test.labels == std::vector<std::uint8_t>{9});
    REQUIRE(dataset.training.pixels.size() == 10 * kPixels);
    REQUIRE(dataset.test.pixels.size() == kPixels);
    const std::string last = record(8, 45).substr(1);
    CHECK(std::equal(last.begin(), last.end(), dataset.training.pixels.end() - kPixels,
                     [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }));
    CHECK(dataset.test.pixels[0] == 99);
    CHECK(dataset.test.pixels[kPixels - 1] == (99 + kPixels - 1) % 251);
    CHECK(dataset.shape == Shape{.height = 32, .width = 32, .channels = 3});
}

TEST_CASE("CIFAR-10: the folder is found from itself and from one above", "[cifar10]") {
    const TemporaryDirectory top;
    fs::create_directories(top / "empty");
    write_small_set(top / "any name");
    CHECK(read_cifar10(top / "any name").training.count() == 10);
    CHECK(read_cifar10(top.path()).training.count() == 10);

    write_small_set(top / "other");
    CHECK(refusal_of(top.path()).kind == DataError::Kind::missing);  // which of the two?
    CHECK(refusal_of(top.path()).says("2 folders"));

    write_small_set(top / "cifar-10-batches-bin");
    write_file(top / "cifar-10-batches-bin" / kFiles[5], record(1, 0) + record(2, 0));
    CHECK(read_cifar10(top.path()).test.count() == 2);  // the official name wins
}

TEST_CASE("CIFAR-10: class names come from a sane batches.meta.txt only", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto names_with = [&](const std::string& meta) {
        write_file(folder / "batches.meta.txt", meta);
        return read_cifar10(folder.path()).class_names;
    };
    CHECK(read_cifar10(folder.path()).class_names == cifar10_class_names());
    CHECK(names_with("a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\n\r\n") ==
          std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
    CHECK(names_with("a\nb\nc\nd\ne\nf\ng\nh\ni\ni\n") == cifar10_class_names());         // twice
    CHECK(names_with("a\nb\nc\nd\ne\nf\ng\nh\ni\n") == cifar10_class_names());            // nine
    CHECK(names_with("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\n") == cifar10_class_names());      // eleven
    CHECK(names_with("a\nb\nc\nd\ne\nf\ng\nh\ni\n\x1b[31m\n") == cifar10_class_names());  // ESC
}

TEST_CASE("CIFAR-10: what is missing, what is there and where to get it", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    fs::remove(folder / "data_batch_3.bin");
    const Refusal refusal = refusal_of(folder.path());
    CHECK(refusal.kind == DataError::Kind::missing);
    CHECK(refusal.says("data_batch_3.bin missing"));
    CHECK(refusal.says("it holds data_batch_1.bin, data_batch_2.bin, data_batch_4"));
    CHECK(refusal.says("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"));
    CHECK(refusal.says("c32a1d4ab5d03f1284b67883e8d87530"));

    CHECK(refusal_of(folder / "nowhere").kind == DataError::Kind::missing);
    CHECK(refusal_of(folder / "nowhere").says("no such folder"));
    CHECK(refusal_of(folder / "test_batch.bin").says("not a folder"));
}

TEST_CASE("CIFAR-10: a length that is no multiple of a record is refused", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto refusal_with = [&](const std::string& bytes) {
        write_file(folder / "data_batch_2.bin", bytes);
        return refusal_of(folder.path());
    };
    const std::string good = record(1, 1) + record(1, 2);
    CHECK(refusal_with(good + "x").kind == DataError::Kind::damaged);
    CHECK(refusal_with(good + "x").says("data_batch_2.bin: 6,147 bytes, expected n x 3,073"));
    CHECK(refusal_with(good.substr(1)).says("6,145 bytes, expected n x 3,073"));
    CHECK(refusal_with("").says(": 0 bytes, expected n x 3,073"));
    fs::resize_file(folder / "data_batch_2.bin", 30'729'999);  // one byte short of 10,000 records
    CHECK(refusal_of(folder.path()).says("data_batch_2.bin: 30,729,999 bytes, expected n x 3,073"));
}

TEST_CASE("CIFAR-10: a label out of range is named by file, record and value", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    write_file(folder / "data_batch_4.bin", record(9, 0) + record(0, 0) + record(10, 0));
    const Refusal refusal = refusal_of(folder.path());
    CHECK(refusal.kind == DataError::Kind::damaged);
    CHECK(refusal.says("data_batch_4.bin: record 2 (from 0) has label 10"));
}

TEST_CASE("CIFAR-10: what is no regular file is refused", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    fs::remove(folder / "test_batch.bin");
    fs::create_directory(folder / "test_batch.bin");
    CHECK(refusal_of(folder.path()).says("test_batch.bin is not a regular file"));
}

TEST_CASE("CIFAR-10: the digest is SHA-256 over sizes, pixels and labels", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    DataConfig config;
    config.path = folder.path();
    const auto dataset = load_dataset(config);
    std::string bytes = "images 10 1 3 32 32\n";
    std::string labels;
    for (std::size_t k = 0; k < 5; ++k)
        for (const std::size_t second : {0U, 1U}) {
            const std::string one =
                record(static_cast<std::uint8_t>(k + 4 * second), 10 * k + 5 * second);
            labels += one[0];
            bytes += one.substr(1);
        }
    bytes += labels + record(9, 99).substr(1) + record(9, 99)[0];
    CHECK(dataset->digest == sha256_hex(bytes));

    write_file(folder / "test_batch.bin", record(9, 98));
    CHECK(load_dataset(config)->digest != dataset->digest);
}

TEST_CASE("CIFAR-10: traits need no files, and follow those that are there", "[cifar10]") {
    const TemporaryDirectory folder;
    const DatasetTraits official = cifar10_traits(folder / "nowhere");
    CHECK(official.class_names == cifar10_class_names());
    CHECK(official.training_samples == 50000);
    CHECK(official.test_samples == 10000);
    write_small_set(folder.path());
    CHECK(cifar10_traits(folder.path()).training_samples == 10);
    CHECK(cifar10_traits(folder.path()).test_samples == 1);
}

TEST_CASE("CIFAR-10: the real files hold 5,000 and 1,000 images of each class",
          "[.needs-cifar10]") {
    const Dataset dataset = read_cifar10(lockstep::tests::cifar10_folder());
    for (std::uint8_t label = 0; label < 10; ++label) {
        CHECK(std::ranges::count(dataset.training.labels, label) == 5000);
        CHECK(std::ranges::count(dataset.test.labels, label) == 1000);
    }
    CHECK(dataset.training.pixels.size() == 50000 * kPixels);
    CHECK(dataset.class_names == cifar10_class_names());
}
