#pragma once

// ONNX files, in ONNX's own words [1]: a graph of nodes over named values, as Protocol Buffers.
// Operator set 13 and IR version 7: what everything since ONNX 1.8 (2020) reads.
//
// The bytes are a function of the values alone: no clock, host or path.
//
// [1] https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, docs/IR.md and docs/Operators.md

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {

inline constexpr int kOnnxOperatorSet = 13;
inline constexpr int kOnnxIrVersion = 7;

struct OnnxAttribute {
    std::string name;
    std::variant<std::int64_t, float, std::vector<std::int64_t>, std::string> value;
};

struct OnnxNode {
    std::string name;
    std::string op_type;               // Conv, Relu, ...
    std::vector<std::string> inputs;   // names of values: the graph's input, outputs of nodes
    std::vector<std::string> outputs;  // before this one, initializers
    std::vector<OnnxAttribute> attributes;
};

// A constant, of float32 or of int64.
struct OnnxTensor {
    std::string name;
    std::vector<std::int64_t> shape;  // row-major; none: a single number
    std::vector<float> values;
    std::vector<std::int64_t> integers{};  // in place of values, where there are any
};

// What enters or leaves the graph: float32.
struct OnnxValue {
    std::string name;
    std::vector<std::variant<std::int64_t, std::string>> shape;  // a text: any size, so named
};

struct OnnxModel {
    std::string producer_version;  // of the program that writes
    std::string graph_name;
    std::vector<OnnxNode> nodes;  // each after the nodes whose outputs it takes
    std::vector<OnnxTensor> initializers;
    OnnxValue input;
    OnnxValue output;
    std::vector<std::pair<std::string, std::string>> metadata;  // metadata_props, UTF-8
};

// Throws
//   std::invalid_argument   if a tensor's values do not fill its shape
//   std::length_error       above 2 GiB
Bytes onnx_file_bytes(const OnnxModel& model);

}  // namespace lockstep::storage
