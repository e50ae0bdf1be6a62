#pragma once

// An ONNX graph as it is built, node after node.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/exports/onnx_file.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::pipeline {

// A value in the graph: its name, and how its images lie: NCHW, or as in Keras NHWC.
struct OnnxGraphValue {
    std::string name;
    bool is_channels_first = false;
};

// The nodes that follow take the last value, `last()`, and make another one.
class OnnxGraph {
public:
    explicit OnnxGraph(const trainer::NamedTensors& weights, OnnxGraphValue input)
        : weights_(weights), last_(std::move(input)) {}

    const OnnxGraphValue& last() const { return last_; }
    void go_on_from(OnnxGraphValue value) { last_ = std::move(value); }

    // A node that takes the last value, then constants or other values. `place` is the layer it is
    // of, and what tells its nodes of one type apart.
    void append(const std::string& place, const std::string& op_type,
                const std::vector<std::string>& others = {},
                std::vector<storage::OnnxAttribute> attributes = {});
    // A node of the operands alone.
    void append_of(std::vector<std::string> operands, const std::string& place,
                   const std::string& op_type, std::vector<storage::OnnxAttribute> attributes = {});
    // The last value becomes the graph's output under this name.
    void rename_last(const std::string& name);

    // ONNX' convolutions, poolings and batch normalization take NCHW; vectors are both.
    void channels_first(const trainer::LayerShape& shape);
    void channels_first(const std::string& place);
    void channels_last(const std::string& place);
    // An image's vector was made: it lies one way alone.
    void is_vector() { last_.is_channels_first = false; }

    // Of the weights; there is one, as they were checked against the network when they were read.
    const trainer::NamedTensor& weight(const std::string& layer, std::string_view name) const;

    // These return the constant's name.
    std::string constant(storage::OnnxTensor tensor);
    std::string weight_constant(const std::string& layer, std::string_view name);
    std::string number(const std::string& name, float value);
    std::string integers(const std::string& name, std::vector<std::int64_t> values);

    storage::OnnxModel finish() && { return std::move(model_); }
    storage::OnnxModel& model() { return model_; }

private:
    void transpose(const std::string& place, std::vector<std::int64_t> permutation);

    const trainer::NamedTensors& weights_;
    storage::OnnxModel model_;
    OnnxGraphValue last_;
};

}  // namespace lockstep::pipeline
