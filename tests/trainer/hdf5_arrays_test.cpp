// Data sets in HDF5: one that h5py wrote (tests/golden/arrays), and small ones made here by
// libhdf5.

#include <hdf5.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/mutations.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/trainer/refusal.hpp"
#include "trainer/data/dataset.hpp"

namespace {

namespace fs = std::filesystem;
using namespace lockstep::trainer;
using lockstep::tests::TemporaryDirectory;

const fs::path kGolden = fs::path(LOCKSTEP_GOLDEN_ARRAYS) / "h5py.h5";

DataConfig config_of(const fs::path& path) {
    DataConfig config;
    config.dataset = "arrays";
    config.path = path;
    return config;
}

std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// As make_arrays.py draws them, and as Lockstep keeps them: planes.
void check_split(const ImageSet& split, int count, int first) {
    REQUIRE(split.labels.size() == static_cast<std::size_t>(count));
    constexpr int kPlane = 4 * 3, kChannels = 2;
    int differences = 0;
    for (int image = 0; image < count; ++image) {
        differences += split.labels[static_cast<std::size_t>(image)] != 3 * image % 5;
        for (int channel = 0; channel < kChannels; ++channel)
            for (int pixel = 0; pixel < kPlane; ++pixel) {
                const int stored = (image * kPlane + pixel) * kChannels + channel;
                const int kept = (image * kChannels + channel) * kPlane + pixel;
                differences +=
                    split.pixels[static_cast<std::size_t>(kept)] != (7 * stored + first) % 251;
            }
    }
    CHECK(differences == 0);
}

// A file of small arrays, made by libhdf5 without anything of ours.
class File {
public:
    File() : id_(H5Fcreate(path().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT)) {
        REQUIRE(id_ >= 0);
        write("x_train", {3, 2, 1, 2}, H5T_STD_U8LE);
        write("y_train", {3}, H5T_STD_I64LE);
        write("x_test", {1, 2, 1, 2}, H5T_STD_U8LE);
        write("y_test", {1}, H5T_STD_U8LE);
    }
    ~File() { close(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    fs::path path() const { return folder_ / "set.h5"; }
    hid_t id() const { return id_; }
    void close() {
        if (id_ >= 0) H5Fclose(id_);
        id_ = H5I_INVALID_HID;
    }
    void remove(const char* name) { REQUIRE(H5Ldelete(id_, name, H5P_DEFAULT) >= 0); }

    // Zeros.
    void write(const char* name, const std::vector<hsize_t>& shape, hid_t type,
               hid_t properties = H5P_DEFAULT) {
        const hid_t space = H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
        const hid_t data_set =
            H5Dcreate2(id_, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
        REQUIRE(data_set >= 0);
        const std::vector<std::uint64_t> zeros(4096, 0);
        if (H5Sget_simple_extent_npoints(space) <= 4096)
            REQUIRE(H5Dwrite(data_set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros.data()) >= 0);
        H5Dclose(data_set);
        H5Sclose(space);
    }
    std::string refusal() {
        close();
        return lockstep::tests::refusal_of(config_of(path())).message;
    }

private:
    TemporaryDirectory folder_;
    hid_t id_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

// In a child process, and as ranks of MPI read it.
TEST_CASE("HDF5 arrays: what h5py wrote, in chunks and packed, is read", "[arrays]") {
    const bool is_rank = GENERATE(false, true);
    if (is_rank) REQUIRE(::setenv("PMIX_RANK", "0", 1) == 0);
    const auto dataset = load_dataset(config_of(kGolden));
    CHECK(dataset->shape == Shape{.height = 4, .width = 3, .channels = 2});
    CHECK(dataset->class_names == std::vector<std::string>{"0", "1", "2", "3", "4"});
    check_split(dataset->training, 50, 11);
    check_split(dataset->test, 9, 100);
    const DatasetTraits traits = dataset_traits(config_of(kGolden));
    CHECK(traits.shape == dataset->shape);
    CHECK(traits.training_samples == 50);
    CHECK(traits.test_samples == 9);
    if (is_rank) REQUIRE(::unsetenv("PMIX_RANK") == 0);
}

// More than one block of 8 MiB, of chunks that do not divide it.
TEST_CASE("HDF5 arrays: of more than a block every image is read once", "[arrays]") {
    File file;
    file.remove("x_train");
    file.remove("y_train");
    constexpr std::size_t kCount = 3000, kSide = 64;
    const hid_t properties = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {700, kSide, kSide};
    REQUIRE(H5Pset_chunk(properties, 3, chunk) >= 0);
    const std::vector<hsize_t> shape{kCount, kSide, kSide};
    file.write("x_train", shape, H5T_STD_U8LE, properties);
    H5Pclose(properties);
    file.write("y_train", {kCount, 1}, H5T_STD_U8LE);
    file.remove("x_test");
    file.write("x_test", {1, kSide, kSide}, H5T_STD_U8LE);
    std::vector<std::uint8_t> pixels(kCount * kSide * kSide);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i % 253);
    const hid_t data_set = H5Dopen2(file.id(), "x_train", H5P_DEFAULT);
    REQUIRE(H5Dwrite(data_set, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, pixels.data()) >=
            0);
    H5Dclose(data_set);
    file.close();
    const auto dataset = load_dataset(config_of(file.path()));
    CHECK(dataset->shape == Shape{.height = 64, .width = 64, .channels = 1});
    const auto& read = dataset->training.pixels;
    CHECK(std::equal(pixels.begin(), pixels.end(), read.begin(), read.end()));
}

TEST_CASE("HDF5 arrays: what is no set of images is told", "[arrays]") {
    const auto refused = [](const char* name, const std::vector<hsize_t>& shape, hid_t type,
                            const std::string& words, hid_t properties = H5P_DEFAULT) {
        File file;
        file.remove(name);
        file.write(name, shape, type, properties);
        const std::string refusal = file.refusal();
        CAPTURE(refusal, words);
        CHECK(contains(refusal, std::string("set.h5: ") + name));
        CHECK(contains(refusal, words));
    };
    refused("x_train", {3, 2, 1, 2}, H5T_IEEE_F32LE, "<f4 of shape (3, 2, 1, 2), expected uint8");
    refused("x_train", {12}, H5T_STD_U8LE, "expected uint8 of shape");
    refused("x_train", {4, 2, 1, 2}, H5T_STD_U8LE, "4 images for 3 labels");
    refused("x_test", {1, 2, 2, 2}, H5T_STD_U8LE, "another shape than x_train's");
    refused("y_test", {1}, H5T_IEEE_F64LE, "expected whole numbers");
    refused("y_test", {0}, H5T_STD_U8LE, "it is empty");
    const hid_t chunks = H5Pcreate(H5P_DATASET_CREATE);
    const hsize_t chunk[] = {1, 1024, 1024, 1};
    REQUIRE(H5Pset_chunk(chunks, 4, chunk) >= 0);
    refused("x_train", {1'000'000'000, 4096, 4096, 3}, H5T_STD_U8LE,
            "asks for more than its 0 bytes", chunks);
    H5Pclose(chunks);
}

TEST_CASE("HDF5 arrays: nothing outside of the file is followed", "[arrays]") {
    const auto refusal_without = [](const char* name, auto replace) {
        File file;
        file.remove(name);
        replace(file);
        return file.refusal();
    };
    CHECK(contains(refusal_without("x_train",
                                   [](File& file) {
                                       H5Lcreate_external("other.h5", "x", file.id(), "x_train",
                                                          H5P_DEFAULT, H5P_DEFAULT);
                                   }),
                   "it is a soft or external link"));
    CHECK(contains(refusal_without("x_train",
                                   [](File& file) {
                                       const hid_t group =
                                           H5Gcreate2(file.id(), "x_train", H5P_DEFAULT,
                                                      H5P_DEFAULT, H5P_DEFAULT);
                                       H5Gclose(group);
                                   }),
                   "it is a group"));
    CHECK(contains(refusal_without("x_test",
                                   [](File& file) {
                                       const hid_t outside = H5Pcreate(H5P_DATASET_CREATE);
                                       H5Pset_external(outside, "outside.bin", 0, 4);
                                       const hsize_t shape[] = {1, 2, 1, 2};
                                       const hid_t space = H5Screate_simple(4, shape, nullptr);
                                       H5Dclose(H5Dcreate2(file.id(), "x_test", H5T_STD_U8LE, space,
                                                           H5P_DEFAULT, outside, H5P_DEFAULT));
                                       H5Sclose(space);
                                       H5Pclose(outside);
                                   }),
                   "keeps its values in another file"));
    CHECK(
        contains(refusal_without("y_test", [](File&) {}), "has no array y_test; it has x_test, "));
}

TEST_CASE("HDF5 arrays: mutations are read or refused", "[arrays]") {
    TemporaryDirectory folder;
    const fs::path path = folder / "set.h5";
    const auto readings = lockstep::tests::read_mutations<DataError>(
        bytes_of(kGolden), 150, 13, [&](const std::string& text) {
            std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
            load_dataset(config_of(path));
        });
    CHECK(readings.given == 150);
    CHECK(readings.taken < 135);  // much of the file means nothing for the arrays
}
