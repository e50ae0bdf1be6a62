// ONNX files and the wire format below them, against the published encodings.

#include "storage/exports/onnx_file.hpp"

#include <bit>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "storage/files/protobuf.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protobuf_reader.hpp"

namespace lockstep::storage {
namespace {

using tests::ProtobufReader;

template <std::size_t N>
std::string raw(const char (&bytes)[N]) {
    return std::string(bytes, N - 1);
}

std::string text_of(const Bytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// y = relu(x - 1.5), x of shape [N, 2].
OnnxModel small_model() {
    OnnxModel model;
    model.producer_version = "1.2.3";
    model.graph_name = "small";
    model.nodes = {{"sub", "Sub", {"x", "c"}, {"d"}, {}},
                   {"relu", "Relu", {"d"}, {"y"}, {{"f", 0.5F}, {"i", std::int64_t{-1}}}},
                   {"pool", "MaxPool", {}, {}, {{"pads", std::vector<std::int64_t>{0, 0, 1, 1}}}}};
    model.initializers = {{"c", {1, 2}, {1.5F, -2.0F}}};
    model.input = {"x", {"N", std::int64_t{2}}};
    model.output = {"y", {"N", std::int64_t{2}}};
    model.metadata = {{"class_names", "[\"caf\xc3\xa9\"]"}, {"empty", ""}};
    return model;
}

TEST_CASE("protobuf: the examples of the published encoding", "[storage][protobuf]") {
    ProtobufMessage number;
    number.add_integer(1, 150);
    CHECK(number.bytes() == raw("\x08\x96\x01"));
    ProtobufMessage text;
    text.add_bytes(2, "testing");
    CHECK(text.bytes() == raw("\x12\x07testing"));
    ProtobufMessage outer;
    outer.add_message(3, number);
    CHECK(outer.bytes() == raw("\x1a\x03\x08\x96\x01"));
}

TEST_CASE("protobuf: numbers at their edges", "[storage][protobuf]") {
    ProtobufMessage message;
    message.add_integer(1, 0);
    message.add_integer(1, 127);
    message.add_integer(1, 128);
    message.add_integer(1, -1);   // ten bytes
    message.add_integer(16, 1);   // the first field whose key takes two bytes
    message.add_float(2, 1.0F);   // 3f800000, little-endian
    message.add_double(3, -2.0);  // c000000000000000
    CHECK(message.bytes() == raw("\x08\x00\x08\x7f\x08\x80\x01"
                                 "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                 "\x80\x01\x01"
                                 "\x15\x00\x00\x80\x3f"
                                 "\x19\x00\x00\x00\x00\x00\x00\x00\xc0"));
}

TEST_CASE("onnx: the model says its versions and its metadata", "[storage][onnx]") {
    const ProtobufReader model(text_of(onnx_file_bytes(small_model())));
    CHECK(model.integer(1) == 7);
    CHECK(model.text(2) == "lockstep");
    CHECK(model.text(3) == "1.2.3");
    CHECK(model.message(8).text(1).empty());
    CHECK(model.message(8).integer(2) == 13);
    const auto properties = model.messages(14);
    REQUIRE(properties.size() == 2);
    CHECK(properties[0].text(1) == "class_names");
    CHECK(properties[0].text(2) == "[\"caf\xc3\xa9\"]");
    CHECK(properties[1].text(2).empty());
}

TEST_CASE("onnx: nodes, with an attribute of each kind", "[storage][onnx]") {
    const auto graph = ProtobufReader(text_of(onnx_file_bytes(small_model()))).message(7);
    CHECK(graph.text(2) == "small");
    const auto nodes = graph.messages(1);
    REQUIRE(nodes.size() == 3);
    CHECK(nodes[0].texts(1) == std::vector<std::string>{"x", "c"});
    CHECK(nodes[0].texts(2) == std::vector<std::string>{"d"});
    CHECK(nodes[0].text(3) == "sub");
    CHECK(nodes[0].text(4) == "Sub");
    const auto numbers = nodes[1].messages(5);
    REQUIRE(numbers.size() == 2);
    CHECK(numbers[0].text(1) == "f");
    CHECK(numbers[0].integer(2) == std::int64_t{std::bit_cast<std::uint32_t>(0.5F)});
    CHECK(numbers[0].integer(20) == 1);
    CHECK(numbers[1].integer(3) == -1);
    CHECK(numbers[1].integer(20) == 2);
    const auto pads = nodes[2].message(5);
    CHECK(pads.integers(8) == std::vector<std::int64_t>{0, 0, 1, 1});
    CHECK(pads.integer(20) == 7);
}

TEST_CASE("onnx: constants are little-endian float32, ends have named sizes", "[storage][onnx]") {
    const auto graph = ProtobufReader(text_of(onnx_file_bytes(small_model()))).message(7);
    const auto tensor = graph.message(5);
    CHECK(tensor.integers(1) == std::vector<std::int64_t>{1, 2});
    CHECK(tensor.integer(2) == 1);
    CHECK(tensor.text(8) == "c");
    CHECK(tensor.text(9) == raw("\x00\x00\xc0\x3f\x00\x00\x00\xc0"));
    const auto input = graph.message(11);
    CHECK(input.text(1) == "x");
    const auto type = input.message(2).message(1);
    CHECK(type.integer(1) == 1);
    const auto sizes = type.message(2).messages(1);
    REQUIRE(sizes.size() == 2);
    CHECK(sizes[0].text(2) == "N");
    CHECK(sizes[1].integer(1) == 2);
    CHECK(graph.message(12).text(1) == "y");
}

TEST_CASE("onnx: a constant whose values do not fill its shape is refused", "[storage][onnx]") {
    OnnxModel model = small_model();
    model.initializers.front().shape = {3};
    CHECK_THROWS_AS(onnx_file_bytes(model), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::storage
