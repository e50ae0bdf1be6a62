#include "storage/exports/onnx_file.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <stdexcept>

#include "storage/files/protobuf.hpp"

namespace lockstep::storage {
namespace {

// Numbers of fields and values of enums, from onnx.proto.

constexpr std::int64_t kFloatElements = 1;    // TensorProto.DataType.FLOAT
constexpr std::int64_t kIntegerElements = 7;  // INT64

ProtobufMessage message_of(const OnnxAttribute& attribute) {
    enum Field { name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20 };
    enum Type { is_float = 1, is_int = 2, is_string = 3, is_ints = 7 };
    ProtobufMessage message;
    message.add_bytes(Field::name, attribute.name);
    if (const auto* number = std::get_if<float>(&attribute.value)) {
        message.add_float(Field::f, *number);
        message.add_integer(Field::type, Type::is_float);
    } else if (const auto* integer = std::get_if<std::int64_t>(&attribute.value)) {
        message.add_integer(Field::i, *integer);
        message.add_integer(Field::type, Type::is_int);
    } else if (const auto* text = std::get_if<std::string>(&attribute.value)) {
        message.add_bytes(Field::s, *text);
        message.add_integer(Field::type, Type::is_string);
    } else {
        for (const std::int64_t each : std::get<std::vector<std::int64_t>>(attribute.value)) {
            message.add_integer(Field::ints, each);
        }
        message.add_integer(Field::type, Type::is_ints);
    }
    return message;
}

ProtobufMessage message_of(const OnnxNode& node) {
    enum Field { input = 1, output = 2, name = 3, op_type = 4, attribute = 5 };
    ProtobufMessage message;
    for (const std::string& each : node.inputs) message.add_bytes(Field::input, each);
    for (const std::string& each : node.outputs) message.add_bytes(Field::output, each);
    message.add_bytes(Field::name, node.name);
    message.add_bytes(Field::op_type, node.op_type);
    for (const OnnxAttribute& each : node.attributes) {
        message.add_message(Field::attribute, message_of(each));
    }
    return message;
}

// raw_data: little-endian, whatever this machine's order is.
template <class Number>
std::string raw_data(const std::vector<Number>& values) {
    std::string bytes(values.size() * sizeof(Number), '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    if constexpr (std::endian::native == std::endian::big)
        for (std::size_t i = 0; i < bytes.size(); i += sizeof(Number))
            std::reverse(bytes.data() + i, bytes.data() + i + sizeof(Number));
    return bytes;
}

ProtobufMessage message_of(const OnnxTensor& tensor) {
    enum Field { dims = 1, data_type = 2, name = 8, raw = 9 };
    const bool is_of_integers = !tensor.integers.empty();
    std::size_t count = 1;
    for (const std::int64_t size : tensor.shape) count *= static_cast<std::size_t>(size);
    if (count != (is_of_integers ? tensor.integers.size() : tensor.values.size())) {
        throw std::invalid_argument(tensor.name + ": its values do not fill its shape");
    }
    ProtobufMessage message;
    for (const std::int64_t size : tensor.shape) message.add_integer(Field::dims, size);
    message.add_integer(Field::data_type, is_of_integers ? kIntegerElements : kFloatElements);
    message.add_bytes(Field::name, tensor.name);
    message.add_bytes(Field::raw,
                      is_of_integers ? raw_data(tensor.integers) : raw_data(tensor.values));
    return message;
}

ProtobufMessage shape_of(const OnnxValue& value) {
    enum Field { dim = 1 };
    enum DimensionField { dim_value = 1, dim_param = 2 };
    ProtobufMessage shape;
    for (const auto& size : value.shape) {
        ProtobufMessage dimension;
        if (const auto* number = std::get_if<std::int64_t>(&size)) {
            dimension.add_integer(DimensionField::dim_value, *number);
        } else {
            dimension.add_bytes(DimensionField::dim_param, std::get<std::string>(size));
        }
        shape.add_message(Field::dim, dimension);
    }
    return shape;
}

ProtobufMessage message_of(const OnnxValue& value) {
    enum Field { name = 1, type = 2 };
    enum TypeField { tensor_type = 1 };
    enum TensorField { elem_type = 1, shape = 2 };
    ProtobufMessage tensor;
    tensor.add_integer(TensorField::elem_type, kFloatElements);
    tensor.add_message(TensorField::shape, shape_of(value));
    ProtobufMessage of_type;
    of_type.add_message(TypeField::tensor_type, tensor);
    ProtobufMessage message;
    message.add_bytes(Field::name, value.name);
    message.add_message(Field::type, of_type);
    return message;
}

ProtobufMessage graph_of(const OnnxModel& model) {
    enum Field { node = 1, name = 2, initializer = 5, input = 11, output = 12 };
    ProtobufMessage graph;
    for (const OnnxNode& each : model.nodes) graph.add_message(Field::node, message_of(each));
    graph.add_bytes(Field::name, model.graph_name);
    for (const OnnxTensor& each : model.initializers) {
        graph.add_message(Field::initializer, message_of(each));
    }
    graph.add_message(Field::input, message_of(model.input));
    graph.add_message(Field::output, message_of(model.output));
    return graph;
}

// The operators without a domain: ONNX's own.
ProtobufMessage operator_set() {
    enum Field { domain = 1, version = 2 };
    ProtobufMessage set;
    set.add_bytes(Field::domain, "");
    set.add_integer(Field::version, kOnnxOperatorSet);
    return set;
}

ProtobufMessage property(const std::string& key, const std::string& value) {
    enum Field { of_key = 1, of_value = 2 };
    ProtobufMessage message;
    message.add_bytes(Field::of_key, key);
    message.add_bytes(Field::of_value, value);
    return message;
}

}  // namespace

Bytes onnx_file_bytes(const OnnxModel& model) {
    enum Field {
        ir_version = 1,
        producer_name = 2,
        producer_version = 3,
        graph = 7,
        opset_import = 8,
        metadata_props = 14
    };
    ProtobufMessage message;
    message.add_integer(Field::ir_version, kOnnxIrVersion);
    message.add_bytes(Field::producer_name, "lockstep");
    message.add_bytes(Field::producer_version, model.producer_version);
    message.add_message(Field::graph, graph_of(model));
    message.add_message(Field::opset_import, operator_set());
    for (const auto& [key, value] : model.metadata) {
        message.add_message(Field::metadata_props, property(key, value));
    }
    const std::string& bytes = message.bytes();
    const auto* start = reinterpret_cast<const std::byte*>(bytes.data());
    return {start, start + bytes.size()};
}

}  // namespace lockstep::storage
