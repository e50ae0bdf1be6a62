// Keras 3's files, and the zip archive around them, read back by other means.

#include "storage/weights/keras_archive.hpp"

#include <hdf5.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "storage/files/zip_archive.hpp"
#include "storage/weights/hdf5.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::storage {
namespace {

using Json = nlohmann::json;

Bytes bytes_of(const std::string& text) {
    const auto* start = reinterpret_cast<const std::byte*>(text.data());
    return {start, start + text.size()};
}

std::uint64_t number_at(const Bytes& bytes, std::size_t place, int size) {
    std::uint64_t value = 0;
    for (int i = size; i-- > 0;) {
        const auto index = place + static_cast<std::size_t>(i);
        value = value << 8 | std::to_integer<std::uint64_t>(bytes.at(index));
    }
    return value;
}

struct FoundMember {
    std::string name;
    Bytes content;
    std::uint64_t crc32 = 0;
    std::uint64_t date_and_time = 0;
};

// A reader that goes by the directory at the end, as zip readers do.
std::vector<FoundMember> members_of(const Bytes& zip) {
    const std::size_t end = zip.size() - 22;
    REQUIRE(number_at(zip, end, 4) == 0x06054b50);
    const std::uint64_t count = number_at(zip, end + 10, 2);
    std::size_t entry = number_at(zip, end + 16, 4);
    CHECK(entry + number_at(zip, end + 12, 4) == end);
    std::vector<FoundMember> members;
    for (std::uint64_t i = 0; i < count; ++i) {
        REQUIRE(number_at(zip, entry, 4) == 0x02014b50);
        const std::size_t local = number_at(zip, entry + 42, 4);
        REQUIRE(number_at(zip, local, 4) == 0x04034b50);
        // version, flags, method, time, date, CRC-32, sizes, lengths of names: said twice, alike
        CHECK(std::ranges::equal(std::span(zip).subspan(local + 4, 26),
                                 std::span(zip).subspan(entry + 6, 26)));
        CHECK(number_at(zip, local + 8, 2) == 0);  // stored
        const std::size_t size = number_at(zip, local + 22, 4);
        const std::size_t length = number_at(zip, local + 26, 2);
        const auto* name = reinterpret_cast<const char*>(zip.data()) + local + 30;
        const auto content = std::span(zip).subspan(local + 30 + length, size);
        members.push_back({std::string(name, length), Bytes(content.begin(), content.end()),
                           number_at(zip, local + 14, 4), number_at(zip, local + 10, 4)});
        entry += 46 + length;
    }
    CHECK(entry == end);
    return members;
}

Json json_of(const FoundMember& member) {
    return Json::parse(
        std::string(reinterpret_cast<const char*>(member.content.data()), member.content.size()));
}

TEST_CASE("zip: an archive without members is its end alone", "[storage][zip]") {
    const Bytes zip = zip_bytes({});
    CHECK(zip.size() == 22);
    CHECK(members_of(zip).empty());
}

TEST_CASE("zip: members come back, with CRC-32's check value", "[storage][zip]") {
    const std::vector<ZipMember> members{{"a.txt", bytes_of("123456789")}, {"b/c", {}}};
    const auto found = members_of(zip_bytes(members));
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == "a.txt");
    CHECK(found[0].content == members[0].content);
    CHECK(found[0].crc32 == 0xcbf43926);  // of "123456789", as every description of CRC-32 has it
    CHECK(found[0].date_and_time == 0x00210000);  // 1980-01-01 00:00
    CHECK(found[1].name == "b/c");
    CHECK(found[1].content.empty());
    CHECK(found[1].crc32 == 0);
}

TEST_CASE("keras: weights stand at the place of their layer", "[storage][keras]") {
    KerasModel model = sample_model();
    NamedArrays weights = sample_weights();
    // A second convolution, with a name that is not Keras' own.
    model.layers.push_back({"extra", "Conv2D", R"({"name":"extra"})"});
    weights.push_back({"extra", "kernel", {1, 1, 1, 2}, {7.0F, 8.0F}});
    const Bytes bytes = keras_weights_bytes(model, weights);
    const Hdf5Source source(bytes, "test");
    const auto values = [&](const std::string& path) {
        return read_floats(source, source.root(), path).values;
    };
    CHECK(values("layers/conv2d/vars/0") == weights[0].values);
    CHECK(values("layers/conv2d/vars/1") == weights[1].values);
    CHECK(values("layers/batch_normalization/vars/3") == weights[5].values);
    CHECK(values("layers/dense/vars/0") == weights[6].values);
    CHECK(values("layers/conv2d_1/vars/0") == std::vector<float>{7.0F, 8.0F});
    const Hdf5Group named = open_group(source, source.root(), "layers/conv2d_1/vars");
    CHECK(read_text_attribute(source, named.id(), "name") == "extra");
    CHECK(has_member(source.root(), "vars"));
    CHECK_FALSE(has_member(open_group(source, source.root(), "layers").id(), "flatten"));
}

TEST_CASE("keras: an archive has Keras 3's members and words", "[storage][keras]") {
    const Bytes zip = keras_archive_bytes(sample_model(), sample_weights(), R"({"k":"v"})");
    CHECK(zip == keras_archive_bytes(sample_model(), sample_weights(), R"({"k":"v"})"));
    const auto members = members_of(zip);
    REQUIRE(members.size() == 3);
    CHECK(members[0].name == "metadata.json");
    CHECK(json_of(members[0])["keras_version"] == "3.0.0");
    CHECK(json_of(members[0])["lockstep"]["k"] == "v");
    CHECK(members[1].name == "config.json");
    const Json config = json_of(members[1]);
    CHECK(config["class_name"] == "Sequential");
    CHECK(config["build_config"]["input_shape"] == Json({nullptr, 4, 4, 3}));
    const Json& layers = config["config"]["layers"];
    REQUIRE(layers.size() == 5);
    CHECK(layers[0]["class_name"] == "InputLayer");
    CHECK(layers[0]["config"]["batch_shape"] == Json({nullptr, 4, 4, 3}));
    CHECK_FALSE(layers[0]["config"].contains("batch_input_shape"));
    CHECK(layers[1]["module"] == "keras.layers");
    CHECK(layers[1]["config"]["kernel_size"] == Json({2, 2}));
    CHECK(layers[2]["config"]["axis"] == -1);
    const Json& compile = config["compile_config"];
    CHECK(compile["loss"] == "sparse_categorical_crossentropy");
    CHECK(compile["optimizer"]["class_name"] == "Adam");
    CHECK(compile["optimizer"]["module"] == "keras.optimizers");
    CHECK(members[2].name == "model.weights.h5");
    CHECK(members[2].content == keras_weights_bytes(sample_model(), sample_weights()));
}

TEST_CASE("keras: what is no model is refused", "[storage][keras]") {
    NamedArrays weights = sample_weights();
    weights.back().layer = "nowhere";
    CHECK_THROWS_AS(keras_weights_bytes(sample_model(), weights), std::invalid_argument);
    CHECK_THROWS_AS(keras_archive_bytes(sample_model(), sample_weights(), "{"),
                    std::invalid_argument);
}

TEST_CASE("keras: a portable .h5 has its weights at the root too, stored once",
          "[storage][keras]") {
    const Bytes bytes = portable_model_bytes(sample_model(), sample_weights());
    const Hdf5Source source(bytes, "test");
    const auto names = read_texts_attribute(source, source.root(), "layer_names");
    CHECK(names == std::vector<std::string>{"conv2d", "batch_normalization", "flatten", "dense"});
    H5O_info_t at_root{};
    H5O_info_t in_model{};
    REQUIRE(H5Oget_info_by_name(source.root(), "dense", &at_root, H5P_DEFAULT) >= 0);
    REQUIRE(H5Oget_info_by_name(source.root(), "model_weights/dense", &in_model, H5P_DEFAULT) >= 0);
    CHECK(at_root.addr == in_model.addr);
    CHECK(parse_model_file(bytes, "test").weights == sample_weights());
    KerasModel model = sample_model();
    model.layers.push_back({"lockstep", "Flatten", "{}"});
    CHECK_THROWS_AS(portable_model_bytes(model, sample_weights()), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::storage
