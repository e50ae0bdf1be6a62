#include "storage/weights/weights_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "storage/weights/hdf5.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

using tests::TemporaryDirectory;

// A file of weights alone, with one dense layer whose kernel the test itself writes.
class DenseFile {
public:
    DenseFile() {
        write_attribute(image_.root(), "layer_names", std::vector<std::string>{"flatten", "dense"});
        create_group(image_.root(), "flatten");
        layer_ = create_group(image_.root(), "dense");
        write_attribute(layer_.id(), "weight_names",
                        std::vector<std::string>{"a/b/dense/kernel:0"});
        inner_ = create_group(layer_.id(), "a/b/dense");
    }
    // kernel:0 of shape [2, 3], of that type and with those properties.
    void write_kernel(hid_t type, hid_t properties, const std::vector<double>& values) {
        const hsize_t shape[] = {2, 3};
        const Hdf5Space space(H5Screate_simple(2, shape, nullptr));
        const Hdf5DataSet data(H5Dcreate2(inner_.id(), "kernel:0", type, space.id(), H5P_DEFAULT,
                                          properties, H5P_DEFAULT));
        REQUIRE(H5Dwrite(data.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                         values.data()) >= 0);
    }
    Bytes bytes() const { return image_.bytes(); }

private:
    Hdf5Image image_;
    Hdf5Group layer_;
    Hdf5Group inner_;
};

Hdf5Properties chunked() {
    Hdf5Properties properties(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {1, 2};
    REQUIRE(H5Pset_chunk(properties.id(), 2, chunk) >= 0);
    return properties;
}

}  // namespace

TEST_CASE("weights: come back in order, with the same bits", "[storage]") {
    const TemporaryDirectory folder;
    NamedArrays weights = sample_weights();
    weights[1].values = {-0.0F, std::numeric_limits<float>::denorm_min()};
    weights[2].values = {std::numeric_limits<float>::infinity(),
                         std::numeric_limits<float>::quiet_NaN()};
    const KerasModel model = sample_model();
    const StateGroup state{.values = {{"run", std::string("r-1")}, {"epoch", std::int64_t{2}}},
                           .arrays = {{"best", sample_weights()}, {"empty", {}}}};
    const SavedFile saved = write_model_file(folder / "model.h5", model, weights, state);
    CHECK(saved.bytes ==
          static_cast<std::int64_t>(std::filesystem::file_size(folder / "model.h5")));

    const ModelFile file = read_model_file(folder / "model.h5");
    REQUIRE(file.weights.size() == weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        CHECK(file.weights[i].layer == weights[i].layer);
        CHECK(file.weights[i].name == weights[i].name);
        CHECK(file.weights[i].shape == weights[i].shape);
        REQUIRE(file.weights[i].values.size() == weights[i].values.size());
        CHECK(std::memcmp(file.weights[i].values.data(), weights[i].values.data(),
                          weights[i].values.size() * sizeof(float)) == 0);
    }
    CHECK(file.model_config_json == model_config_json(model));
    CHECK(file.training_config_json == model.training_config_json);
    REQUIRE(file.state.has_value());
    CHECK(file.state->values == state.values);
    CHECK(file.state->arrays == state.arrays);
}

TEST_CASE("weights: two saves are equal to the byte", "[storage]") {
    const Bytes first = model_file_bytes(sample_model(), sample_weights(), StateGroup{});
    const std::vector<double> noise(100'000, 3.25);  // other memory than before
    CHECK(model_file_bytes(sample_model(), sample_weights(), StateGroup{}) == first);
    CHECK(noise.back() == 3.25);
}

TEST_CASE("weights: large arrays, in chunks whose last one is cut, come back", "[storage]") {
    const NamedArray large{"dense", "kernel", {1027, 523}, std::vector<float>(1027 * 523, 0.5F)};
    const StateGroup state{.values = {}, .arrays = {{"optimizer/momentum", {large}}}};
    const Bytes bytes = model_file_bytes(sample_model(), {large}, state);
    const ModelFile file = parse_model_file(bytes, "bytes");
    CHECK(file.weights.at(0) == large);
    CHECK(file.state->arrays.at("optimizer/momentum").at(0) == large);
    CHECK(model_file_bytes(sample_model(), {large}, state) == bytes);
}

TEST_CASE("weights: networks with more names than an attribute holds", "[storage]") {
    KerasModel model;
    NamedArrays weights;
    for (int i = 0; i < 2500; ++i) {  // 2,500 names of 31 bytes: above 64,512
        const std::string layer = "a_rather_long_name_of_layer_" + std::to_string(1000 + i);
        model.layers.push_back({layer, "Dense", "{}"});
        if (i % 500 == 0) weights.push_back({layer, "bias", {1}, {static_cast<float>(i)}});
    }
    CHECK(parse_model_file(model_file_bytes(model, weights), "bytes").weights == weights);
}

// Keras' limit of an attribute is 64,512 bytes; beyond it the names go to layer_names0,
// layer_names1, ..., as few as hold them, of as equal counts as possible.
TEST_CASE("weights: two hundred layers of long names are split as Keras splits them", "[storage]") {
    KerasModel model;
    NamedArrays weights;
    for (int i = 0; i < 200; ++i) {
        const std::string layer = std::string(700, 'n') + std::to_string(1000 + i);
        model.layers.push_back({layer, "Dense", "{}"});
        weights.push_back({layer, "bias", {1}, {static_cast<float>(i)}});
    }
    const Bytes bytes = model_file_bytes(model, weights);
    CHECK(parse_model_file(bytes, "bytes").weights == weights);

    const Hdf5Source file(bytes, "bytes");  // 200 x 704 bytes: three pieces
    const Hdf5Group group(H5Gopen2(file.root(), "model_weights", H5P_DEFAULT));
    const std::vector<std::size_t> counts{67, 67, 66};
    CHECK(H5Aexists(group.id(), "layer_names") == 0);
    CHECK(H5Aexists(group.id(), "layer_names3") == 0);
    for (std::size_t piece = 0; piece < counts.size(); ++piece) {
        const std::string name = "layer_names" + std::to_string(piece);
        REQUIRE(H5Aexists(group.id(), name.c_str()) > 0);
        const Hdf5Attribute attribute(H5Aopen(group.id(), name.c_str(), H5P_DEFAULT));
        const Hdf5Space space(H5Aget_space(attribute.id()));
        CHECK(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.id())) == counts[piece]);
        CHECK(H5Aget_storage_size(attribute.id()) <= 64512);
    }
}

TEST_CASE("weights: any float, byte order, depth and Keras' filters are read", "[storage]") {
    const std::vector<double> values{1.0, -2.5, 0.0, 1.0 / 3.0, 65504.0, -1e-3};
    DenseFile file;
    const Hdf5Silence silence;
    Hdf5Properties properties = chunked();
    double tolerance = 0.0;
    SECTION("float64") { file.write_kernel(H5T_IEEE_F64LE, H5P_DEFAULT, values); }
    SECTION("float32, big-endian") { file.write_kernel(H5T_IEEE_F32BE, H5P_DEFAULT, values); }
    SECTION("float64, big-endian, gzip, shuffle, fletcher32") {
        REQUIRE(H5Pset_shuffle(properties.id()) >= 0);
        REQUIRE(H5Pset_deflate(properties.id(), 9) >= 0);
        REQUIRE(H5Pset_fletcher32(properties.id()) >= 0);
        file.write_kernel(H5T_IEEE_F64BE, properties.id(), values);
    }
    SECTION("float16") {
        const Hdf5Type half(H5Tcopy(H5T_IEEE_F32LE));
        REQUIRE(H5Tset_fields(half.id(), 15, 10, 5, 0, 10) >= 0);
        REQUIRE(H5Tset_size(half.id(), 2) >= 0);
        REQUIRE(H5Tset_ebias(half.id(), 15) >= 0);
        file.write_kernel(half.id(), H5P_DEFAULT, values);
        tolerance = 5e-4;  // 2^-11, half's rounding
    }
    const NamedArrays read = parse_model_file(file.bytes(), "bytes").weights;
    REQUIRE(read.size() == 1);
    CHECK(read[0].layer == "dense");
    CHECK(read[0].name == "kernel");
    CHECK(read[0].shape == std::vector<std::int64_t>{2, 3});
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double expected = static_cast<double>(static_cast<float>(values[i]));
        CHECK(std::abs(static_cast<double>(read[0].values.at(i)) - expected) <=
              tolerance * std::abs(expected));
    }
}

// As another program's libhdf5 may: ours is given the bytes, and never the path.
TEST_CASE("weights: a file that is locked is read", "[storage]") {
    const TemporaryDirectory folder;
    write_model_file(folder / "model.h5", sample_model(), sample_weights(), StateGroup{});
    const int file = ::open((folder / "model.h5").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(::flock(file, LOCK_EX | LOCK_NB) == 0);
    for (const char* setting : {"TRUE", "FALSE", ""}) {
        ::setenv("HDF5_USE_FILE_LOCKING", setting, 1);
        CHECK(read_model_file(folder / "model.h5").weights == sample_weights());
    }
    ::unsetenv("HDF5_USE_FILE_LOCKING");
    ::close(file);
}

TEST_CASE("weights: what does not fit together is not written", "[storage]") {
    const KerasModel model = sample_model();
    CHECK_THROWS_AS(model_file_bytes(model, {{"other", "bias", {1}, {1.0F}}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(model_file_bytes(model, {{"dense", "bias", {2}, {1.0F}}}),
                    std::invalid_argument);
    CHECK_THROWS_AS(model_file_bytes(model, {{"dense", "a/b", {1}, {1.0F}}}),
                    std::invalid_argument);
    KerasModel broken = model;
    broken.layers[1].config_json = "{";
    CHECK_THROWS_AS(model_config_json(broken), std::invalid_argument);
}

TEST_CASE("model_config: Keras' Sequential, keys in order, in ASCII", "[storage]") {
    KerasModel model;
    model.name = "caf\xc3\xa9";
    model.layers = {{"flatten", "Flatten", R"({"name":"flatten","b":1,"a":0.001})"}};
    CHECK(
        model_config_json(model) ==
        R"({"class_name":"Sequential","config":{"name":"caf\u00e9","layers":[{"class_name":"Flatten","config":{"name":"flatten","b":1,"a":0.001}}]}})");
}

}  // namespace lockstep::storage
