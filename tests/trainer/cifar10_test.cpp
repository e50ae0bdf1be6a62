#include "trainer/data/cifar10.hpp"

#include <sys/stat.h>

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
#include "tests/trainer/refusal.hpp"
#include "trainer/determinism/digest.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::Refusal;
using lockstep::tests::refusal_by;
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

Refusal refusal_of(const fs::path& path) {
    return refusal_by([&path] { read_cifar10(path); });
}

}  // namespace

TEST_CASE("CIFAR-10: records become pixels and labels in file order", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const Dataset dataset = read_cifar10(folder.path());
    CHECK(dataset.training.labels == std::vector<Label>{0, 4, 1, 5, 2, 6, 3, 7, 4, 8});
    CHECK(dataset.test.labels == std::vector<Label>{9});
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

TEST_CASE("CIFAR-10: as many classes as batches.meta.txt has names", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    CHECK(read_cifar10(folder.path()).class_names == cifar10_class_names());
    const auto names_with = [&](const std::string& meta) {
        write_file(folder / "batches.meta.txt", meta);
        CHECK(cifar10_traits(folder.path()).warning.empty());
        CHECK(cifar10_traits(folder.path()).class_names == read_cifar10(folder.path()).class_names);
        return read_cifar10(folder.path()).class_names;
    };
    const std::string nine = "a\nb\nc\nd\ne\nf\ng\nh\ni\n";
    const std::vector<std::string> letters{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    CHECK(names_with("a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\n\r\n") == letters);
    CHECK(names_with("\xef\xbb\xbf" + nine + "j") == letters);
    CHECK(names_with(nine + "  j \t\n\n\n") == letters);
    CHECK(names_with(nine + "j\nk k\n").back() == "k k");  // eleven; no image is of the last
    CHECK(names_with(nine + "\xc3\xa9t\xc3\xa9\n").back() == "\xc3\xa9t\xc3\xa9");

    write_file(folder / "data_batch_1.bin", record(0, 1));
    for (std::size_t k = 1; k < 6; ++k) write_file(folder / kFiles[k], record(2, k));
    CHECK(names_with("one\ntwo\nthree\n") == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("CIFAR-10: names that are not taken are told with the reason", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto problem = [&] {
        CHECK(read_cifar10(folder.path()).class_names == cifar10_class_names());
        const DatasetTraits traits = cifar10_traits(folder.path());
        CHECK(traits.class_names == cifar10_class_names());
        CHECK(traits.class_names_origin.find("CIFAR-10's own") == 0);
        const std::string lead = "batches.meta.txt are not taken: ";
        const std::string end = "; CIFAR-10's ten are used";
        const std::size_t place = traits.warning.find(lead);
        REQUIRE(place != std::string::npos);
        REQUIRE(traits.warning.ends_with(end));
        const std::string text = traits.warning.substr(place + lead.size());
        return text.substr(0, text.size() - end.size());
    };
    const auto problem_with = [&](const std::string& meta) {
        write_file(folder / "batches.meta.txt", meta);
        return problem();
    };
    CHECK(problem_with("a\nb\nc\nb\n") == "line 4 repeats line 2");
    CHECK(problem_with("a\n\nb\n") == "line 2 is empty");
    CHECK(problem_with("a\n" + std::string(65, 'x')) == "line 2 is longer than 64 bytes");
    CHECK(problem_with("a\nb\x1b[31m\n") == "line 2 has a control character");
    CHECK(problem_with("a\n\xc2\x9b\n") == "line 2 has a control character");  // CSI of C1
    for (const char* bytes :
         {"\xff", "\xe9", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2", "\x80"}) {
        CHECK(problem_with("a\n" + std::string(bytes) + "\n") == "line 2 is not UTF-8");
    }
    CHECK(problem_with("\n\n") == "it is empty");
    CHECK(problem_with("cat\n").find("it lists one name") == 0);
    std::string many;
    for (int i = 0; i < 257; ++i) many += std::to_string(i) + "\n";
    CHECK(problem_with(many).find("it lists 257 names") == 0);
    fs::resize_file(folder / "batches.meta.txt", std::uintmax_t{1} << 40);  // sparse
    CHECK(problem().find("it has 1,099,511,627,776 bytes") == 0);
    fs::remove(folder / "batches.meta.txt");
    fs::create_directory(folder / "batches.meta.txt");
    CHECK(problem().find("not a regular file") != std::string::npos);
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

TEST_CASE("CIFAR-10: a label without a name is told by file, record and byte", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    write_file(folder / "data_batch_4.bin", record(9, 0) + record(0, 0) + record(10, 0));
    const Refusal refusal = refusal_of(folder.path());
    CHECK(refusal.kind == DataError::Kind::damaged);
    CHECK(refusal.says("data_batch_4.bin: record 2 (from 0) has label 10 at byte 6146"));
    CHECK(refusal.says("expected 0..9"));
    CHECK(refusal.says("has no batches.meta.txt"));
    write_file(folder / "batches.meta.txt", "a\nb\nc\nd\n");
    CHECK(refusal_of(folder.path()).says("data_batch_1.bin: record 1 (from 0) has label 4"));
    CHECK(refusal_of(folder.path()).says("expected 0..3: 4 classes have names"));
}

TEST_CASE("CIFAR-10: more than a split may have is refused by its length", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    const auto resize = [&](std::size_t file, std::uintmax_t records) {
        fs::resize_file(folder / kFiles[file], 3073 * records);  // sparse
    };
    resize(1, 1'000'000'000);
    CHECK(refusal_of(folder.path()).kind == DataError::Kind::damaged);
    CHECK(refusal_of(folder.path()).says("data_batch_2.bin: with its 3,073,000,000,000 bytes"));
    CHECK(refusal_of(folder.path()).says("expected at most 10,000,000 in a split"));
    resize(1, 6'000'000);
    resize(4, 6'000'000);
    CHECK(refusal_of(folder.path()).says("data_batch_5.bin: with its 18,438,000,000 bytes"));
    CHECK(cifar10_traits(folder.path()).training_samples == 50000);
}

TEST_CASE("CIFAR-10: what is no regular file is refused", "[cifar10]") {
    const TemporaryDirectory folder;
    write_small_set(folder.path());
    fs::remove(folder / "test_batch.bin");
    const auto is_refused = [&] {
        return refusal_of(folder.path()).says("test_batch.bin is not a regular file");
    };
    fs::create_directory(folder / "test_batch.bin");
    CHECK(is_refused());
    fs::remove(folder / "test_batch.bin");
    fs::create_symlink("/dev/zero", folder / "test_batch.bin");
    CHECK(is_refused());
    fs::remove(folder / "test_batch.bin");
    REQUIRE(::mkfifo((folder / "test_batch.bin").c_str(), 0600) == 0);  // nobody writes to it
    CHECK(is_refused());
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
