// Keras' layout of model.h5, checked on a written file through raw HDF5 calls, and our own bytes.

#include <hdf5.h>

#include <string>
#include <vector>

#include "storage/files/sha256.hpp"
#include "storage/weights/weights_file.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

// One text of variable length.
std::string text_attribute(hid_t file, const char* object, const char* name) {
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    REQUIRE(attribute >= 0);
    const hid_t type = H5Aget_type(attribute);
    CHECK(H5Tis_variable_str(type) > 0);
    CHECK(H5Tget_cset(type) == H5T_CSET_ASCII);
    char* start = nullptr;
    REQUIRE(H5Aread(attribute, type, &start) >= 0);
    std::string text(start);
    H5free_memory(start);
    H5Tclose(type);
    H5Aclose(attribute);
    return text;
}

// An array of texts of fixed length.
std::vector<std::string> texts_attribute(hid_t file, const char* object, const char* name) {
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    REQUIRE(attribute >= 0);
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    CHECK(H5Tget_class(type) == H5T_STRING);
    CHECK(H5Tis_variable_str(type) == 0);
    CHECK(H5Tget_strpad(type) == H5T_STR_NULLPAD);
    CHECK(H5Sget_simple_extent_ndims(space) == 1);
    const std::size_t width = H5Tget_size(type);
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    std::string padded(width * count, 'x');
    REQUIRE(H5Aread(attribute, type, padded.data()) >= 0);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i)
        texts.emplace_back(padded.substr(i * width, width).c_str());
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return texts;
}

// Keras' empty list: float64 of shape (0).
bool is_empty_list(hid_t file, const char* object, const char* name) {
    const hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
    REQUIRE(attribute >= 0);
    const hid_t type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    const bool is_empty = H5Tequal(type, H5T_IEEE_F64LE) > 0 &&
                          H5Sget_simple_extent_ndims(space) == 1 &&
                          H5Sget_simple_extent_npoints(space) == 0;
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return is_empty;
}

struct RawArray {
    std::vector<hsize_t> shape;
    std::vector<float> values;
    bool has_fletcher32 = false;
};

RawArray float32_data_set(hid_t file, const char* path) {
    const hid_t data = H5Dopen2(file, path, H5P_DEFAULT);
    REQUIRE(data >= 0);
    const hid_t type = H5Dget_type(data);
    const hid_t space = H5Dget_space(data);
    const hid_t properties = H5Dget_create_plist(data);
    CHECK(H5Tequal(type, H5T_IEEE_F32LE) > 0);
    H5O_info_t object{};
    CHECK(H5Oget_info(data, &object) >= 0);
    CHECK(object.mtime == 0);  // no time of change inside
    RawArray array;
    array.shape.resize(static_cast<std::size_t>(H5Sget_simple_extent_ndims(space)));
    H5Sget_simple_extent_dims(space, array.shape.data(), nullptr);
    array.values.resize(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    REQUIRE(H5Dread(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) >=
            0);
    array.has_fletcher32 = H5Pget_nfilters(properties) == 1 &&
                           H5Pget_filter_by_id2(properties, H5Z_FILTER_FLETCHER32, nullptr, nullptr,
                                                nullptr, 0, nullptr, nullptr) >= 0;
    H5Pclose(properties);
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(data);
    return array;
}

}  // namespace

TEST_CASE("model.h5: laid out as Keras lays out a whole model", "[storage]") {
    const tests::TemporaryDirectory folder;
    const StateGroup state{.values = {{"epoch", std::int64_t{3}}},
                           .arrays = {{"optimizer/momentum", sample_weights()}}};
    write_model_file(folder / "model.h5", sample_model(), sample_weights(), state);
    const hid_t file = H5Fopen((folder / "model.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    REQUIRE(file >= 0);

    CHECK(text_attribute(file, "/", "keras_version") == "2.15.0");
    CHECK(text_attribute(file, "/", "backend") == "tensorflow");
    CHECK(text_attribute(file, "/", "model_config") == model_config_json(sample_model()));
    CHECK(text_attribute(file, "/", "training_config") == sample_model().training_config_json);
    CHECK(text_attribute(file, "/model_weights", "keras_version") == "2.15.0");
    CHECK(text_attribute(file, "/model_weights", "backend") == "tensorflow");
    CHECK(texts_attribute(file, "/model_weights", "layer_names") ==
          std::vector<std::string>{"conv2d", "batch_normalization", "flatten", "dense"});
    CHECK(texts_attribute(file, "/model_weights/conv2d", "weight_names") ==
          std::vector<std::string>{"conv2d/kernel:0", "conv2d/bias:0"});
    CHECK(texts_attribute(file, "/model_weights/batch_normalization", "weight_names") ==
          std::vector<std::string>{"batch_normalization/gamma:0", "batch_normalization/beta:0",
                                   "batch_normalization/moving_mean:0",
                                   "batch_normalization/moving_variance:0"});
    CHECK(is_empty_list(file, "/model_weights/flatten", "weight_names"));
    CHECK(is_empty_list(file, "/model_weights/top_level_model_weights", "weight_names"));

    const RawArray kernel = float32_data_set(file, "/model_weights/conv2d/conv2d/kernel:0");
    CHECK(kernel.shape == std::vector<hsize_t>{2, 2, 3, 2});
    CHECK(kernel.values == sample_weights()[0].values);
    CHECK(float32_data_set(file, "/model_weights/dense/dense/kernel:0").shape ==
          std::vector<hsize_t>{32, 3});
    const RawArray slot = float32_data_set(file, "/lockstep/optimizer/momentum/dense/kernel");
    CHECK(slot.values == sample_weights()[6].values);
    CHECK(slot.has_fletcher32);
    H5Fclose(file);
}

// The digest was taken on Debian 12 (HDF5 1.10.8); another version must give the same file.
TEST_CASE("model.h5: the same bytes by every version of HDF5", "[storage]") {
    const StateGroup state{.values = {{"epoch", std::int64_t{3}}, {"run", std::string("a-1")}},
                           .arrays = {{"optimizer/momentum", sample_weights()}}};
    CHECK(sha256_hex(model_file_bytes(sample_model(), sample_weights(), state)) ==
          "4b184b5dd3e30fd872e5c7ed36b442e106ad37fffe8d6b3b30ff7fe14c44b41f");
}

}  // namespace lockstep::storage
