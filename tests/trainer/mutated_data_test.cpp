// Changed data files and pictures: read, or refused as DataError, never a crash.

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/mutations.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/image_samples.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/data/cifar10.hpp"
#include "trainer/data/image_file.hpp"

namespace lockstep::trainer {
namespace {

namespace fs = std::filesystem;
using tests::FileContent;
using tests::Readings;

constexpr int kSide = 24;

void write_text(const fs::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

FileContent pixels(std::size_t count) {
    FileContent made(count);
    for (std::size_t i = 0; i < count; ++i) made[i] = static_cast<std::uint8_t>(i * 37 % 256);
    return made;
}

Readings read_pictures(const FileContent& file, int count, std::uint64_t seed) {
    return tests::read_mutations<DataError>(std::string(file.begin(), file.end()), count, seed,
                                            [](const std::string& text) {
                                                const FileContent content(text.begin(), text.end());
                                                decode_image(content, "mutation");
                                            });
}

Readings read_pngs(int count, std::uint64_t seed) {
    return read_pictures(
        tests::png_file({.width = kSide, .height = kSide, .rows = pixels(3 * kSide * kSide)}),
        count, seed);
}

Readings read_jpegs(int count, std::uint64_t seed) {
    return read_pictures(
        tests::jpeg_file(kSide, kSide, 3, pixels(3 * kSide * kSide), tests::JpegScans::progressive),
        count, seed);
}

Readings read_pnms(int count, std::uint64_t seed) {
    std::string file = "P3\n# a comment\n4 4\n255\n";
    for (int i = 0; i < 48; ++i) file += std::to_string(i * 5) + (i % 12 == 11 ? "\n" : " ");
    return read_pictures(FileContent(file.begin(), file.end()), count, seed);
}

constexpr int kRecords = 4;

// One of the batches and the names of classes are changed in turn.
Readings read_cifar10_folders(int count, std::uint64_t seed) {
    const tests::TemporaryDirectory folder;
    std::string batch;
    for (int record = 0; record < kRecords; ++record)
        batch += std::string(1, static_cast<char>(record)) + std::string(3072, 'p');
    std::string names;
    for (const std::string& name : cifar10_class_names()) names += name + "\n";
    for (const char* name : {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                             "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"})
        write_text(folder / name, batch);
    const auto read = [&] { read_cifar10(folder.path()); };
    Readings all =
        tests::read_mutations<DataError>(batch, count, seed, [&](const std::string& text) {
            write_text(folder / "data_batch_3.bin", text);
            read();
        });
    write_text(folder / "data_batch_3.bin", batch);
    const Readings named =
        tests::read_mutations<DataError>(names, count, seed + 1, [&](const std::string& text) {
            write_text(folder / "batches.meta.txt", text);
            read();
        });
    all.given += named.given;
    all.taken += named.taken;
    return all;
}

void check(const Readings& readings, int given) {
    CHECK(readings.given == given);
    CHECK(readings.taken < given);
}

void check_all(int count, std::uint64_t seed) {
    check(read_pngs(count, seed), count);
    check(read_jpegs(count, seed + 10), count);
    check(read_pnms(count, seed + 20), count);
    check(read_cifar10_folders(count, seed + 30), 2 * count);
}

}  // namespace

TEST_CASE("mutations: pictures and data files", "[trainer]") { check_all(200, 1); }

TEST_CASE("mutations: five thousand of each", "[.slow][trainer]") { check_all(5000, 101); }

}  // namespace lockstep::trainer
