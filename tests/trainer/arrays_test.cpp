// .npz files, made here from the descriptions of zip and of NumPy's format.

#include "trainer/data/arrays.hpp"

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
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
using lockstep::tests::TemporaryDirectory;

std::string little(std::uint64_t value, int size) {
    std::string bytes;
    for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
    return bytes;
}

std::string npy(const std::string& type, const std::string& shape, const std::string& elements,
                const std::string& order = "False") {
    std::string header =
        "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
    while ((10 + header.size() + 1) % 64 != 0) header += ' ';
    header += '\n';
    return "\x93NUMPY" + little(1, 1) + little(0, 1) + little(header.size(), 2) + header + elements;
}

std::string deflated(const std::string& bytes) {
    z_stream state{};
    REQUIRE(deflateInit2(&state, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string packed(compressBound(static_cast<uLong>(bytes.size())), '\0');
    std::string copy = bytes;
    state.next_in = reinterpret_cast<Bytef*>(copy.data());
    state.avail_in = static_cast<unsigned>(copy.size());
    state.next_out = reinterpret_cast<Bytef*>(packed.data());
    state.avail_out = static_cast<unsigned>(packed.size());
    REQUIRE(deflate(&state, Z_FINISH) == Z_STREAM_END);
    packed.resize(packed.size() - state.avail_out);
    deflateEnd(&state);
    return packed;
}

enum class Packing { stored, deflated };

std::string archive(const std::map<std::string, std::string>& arrays, Packing packing) {
    std::string bytes, directory;
    const int method = packing == Packing::deflated ? 8 : 0;
    for (const auto& [name, content] : arrays) {
        const std::string file = name + ".npy";
        const std::string packed = method == 8 ? deflated(content) : content;
        const auto sum = crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                               static_cast<unsigned>(content.size()));
        const std::string common = little(20, 2) + little(0, 2) +
                                   little(static_cast<std::uint64_t>(method), 2) + little(0, 4) +
                                   little(sum, 4) + little(packed.size(), 4) +
                                   little(content.size(), 4) + little(file.size(), 2);
        directory += "PK\x01\x02" + little(20, 2) + common + little(0, 2) + little(0, 2) +
                     little(0, 2) + little(0, 2) + little(0, 4) + little(bytes.size(), 4) + file;
        bytes += "PK\x03\x04" + common + little(4, 2) + file + "xtra" + packed;
    }
    return bytes + directory + "PK\x05\x06" + little(0, 4) + little(arrays.size(), 2) +
           little(arrays.size(), 2) + little(directory.size(), 4) + little(bytes.size(), 4) +
           little(0, 2);
}

// Labels of eight bytes, so many that their number of bytes modulo 2^64 is what there is: 8 x (2^61
// + 3) = 24.
std::string of_wrapping_shape() {
    return npy("<i8", "(" + std::to_string((std::uint64_t{1} << 61) + 3) + ",)",
               little(2, 8) + little(0, 8) + little(1, 8));
}

// Three images of 2 x 1 pixels with two channels, and one.
std::map<std::string, std::string> small_set() {
    return {{"x_train", npy("|u1", "(3, 2, 1, 2)", "abcdefghijkl")},
            {"y_train", npy("<i8", "(3,)", little(2, 8) + little(0, 8) + little(1, 8))},
            {"x_test", npy("|u1", "(1, 2, 1, 2)", "mnop")},
            {"y_test", npy("|u1", "(1, 1)", little(3, 1))}};
}

DataConfig config_of(const fs::path& path) {
    DataConfig config;
    config.dataset = "arrays";
    config.path = path;
    return config;
}

class File {
public:
    fs::path path() const { return folder_ / "set.npz"; }
    void write(const std::string& bytes) const {
        std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
    }
    void write(const std::map<std::string, std::string>& arrays,
               Packing packing = Packing::deflated) const {
        write(archive(arrays, packing));
    }
    std::string refusal() const { return lockstep::tests::refusal_of(config_of(path())).message; }

private:
    TemporaryDirectory folder_;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("arrays: channels become planes, stored and deflated alike", "[arrays]") {
    const File file;
    for (const Packing packing : {Packing::stored, Packing::deflated}) {
        file.write(small_set(), packing);
        const auto dataset = load_dataset(config_of(file.path()));
        CHECK(dataset->shape == Shape{.height = 2, .width = 1, .channels = 2});
        CHECK(dataset->training.labels == std::vector<Label>{2, 0, 1});
        CHECK(dataset->test.labels == std::vector<Label>{3});
        CHECK(dataset->class_names == std::vector<std::string>{"0", "1", "2", "3"});
        const std::string pixels(dataset->training.pixels.begin(), dataset->training.pixels.end());
        CHECK(pixels == "acbdegfhikjl");
        CHECK(dataset->digest == sha256_hex("images 3 1 2 2 1\nacbdegfhikjl" + little(2, 1) +
                                            little(0, 1) + little(1, 1) + "monp" + little(3, 1)));
        const DatasetTraits traits = dataset_traits(config_of(file.path()));
        CHECK(traits.shape == dataset->shape);
        CHECK(traits.class_names == dataset->class_names);
        CHECK(traits.training_samples == 3);
    }
}

TEST_CASE("arrays: images without channels are grey, labels are of any whole type", "[arrays]") {
    const File file;
    auto arrays = small_set();
    arrays["x_train"] = npy("|u1", "(2, 2, 3)", "abcdefghijkl");
    arrays["x_test"] = npy("|u1", "(1, 2, 3)", "mnopqr");
    arrays["y_train"] = npy("<u2", "(2,)", little(300, 2) + little(7, 2));
    arrays["y_test"] = npy("<i4", "(1,)", little(1, 4));
    file.write(arrays);
    const auto dataset = load_dataset(config_of(file.path()));
    CHECK(dataset->shape == Shape{.height = 2, .width = 3, .channels = 1});
    CHECK(dataset->training.labels == std::vector<Label>{300, 7});
    CHECK(dataset->class_names.size() == 301);
}

TEST_CASE("arrays: what is missing or damaged is told", "[arrays]") {
    const File file;
    const auto refused = [&](const std::string& name, const std::string& array,
                             const std::string& words) {
        auto arrays = small_set();
        arrays[name] = array;
        file.write(arrays);
        const std::string refusal = file.refusal();
        CAPTURE(refusal, words);
        CHECK(contains(refusal, "set.npz: " + name));
        CHECK(contains(refusal, words));
    };
    refused("x_train", npy("<f4", "(3, 1, 1)", std::string(12, 'f')), "<f4 of shape (3, 1, 1)");
    refused("x_train", npy("|u1", "(12,)", "abcdefghijkl"), "expected uint8 of shape");
    refused("x_train", npy("|u1", "(4, 2, 1, 2)", "abcdefghijklmnop"), "4 images for 3 labels");
    refused("x_train", npy("|u1", "(3, 2, 1, 2)", "abcdefghijk"), "its shape asks for others");
    refused("x_train", npy("|u1", "(3, 2, 1, 2)", "abcdefghijkl", "True"), "in C's order");
    refused("x_train", npy("|u1", "(99999999999, 99999999999, 99999999999)", "a"),
            "asks for others");
    refused("y_train", npy("<i8", "(9223372036854775807,)", little(1, 8)), "asks for others");
    refused("y_train", of_wrapping_shape(), "asks for others");
    refused("x_test", npy("|u1", "(1, 1, 2, 2)", "mnop"), "another shape than x_train's");
    refused("y_test", npy("<i8", "(1,)", little(~std::uint64_t{0}, 8)), "label 0 (from 0) is not");
    refused("y_test", npy("<u2", "(1,)", little(65535, 2)), "is not in 0..65534");
    refused("y_test", npy("<f8", "(1,)", little(0, 8)), "expected whole numbers");
    refused("y_test", "no array of NumPy's at all", "it is no array of NumPy's");
    auto arrays = small_set();
    arrays.erase("y_train");
    file.write(arrays);
    CHECK(contains(file.refusal(), "has no array y_train; it has x_test, x_train, y_test"));
    file.write(std::string("no archive"));
    CHECK(contains(file.refusal(), "neither an archive of numpy.savez() nor HDF5"));
    std::string changed = archive(small_set(), Packing::stored);
    changed[changed.find("mnop")] = 'x';
    file.write(changed);
    CHECK(contains(file.refusal(), "its bytes are not those that were written (CRC-32)"));
}

TEST_CASE("arrays: mutations are read or refused", "[arrays]") {
    const File file;
    for (const Packing packing : {Packing::stored, Packing::deflated}) {
        const auto readings = lockstep::tests::read_mutations<DataError>(
            archive(small_set(), packing), 500, 11, [&](const std::string& text) {
                file.write(text);
                load_dataset(config_of(file.path()));
            });
        CHECK(readings.given == 500);
        CHECK(readings.taken < 250);  // times and versions of zip's that mean nothing here
    }
}
