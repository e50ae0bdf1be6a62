#include "pipeline/exporting/onnx_graph.hpp"

#include <algorithm>
#include <utility>

namespace lockstep::pipeline {

void OnnxGraph::append(const std::string& place, const std::string& op_type,
                       const std::vector<std::string>& others,
                       std::vector<storage::OnnxAttribute> attributes) {
    std::vector<std::string> operands{last_.name};
    operands.insert(operands.end(), others.begin(), others.end());
    append_of(std::move(operands), place, op_type, std::move(attributes));
}

void OnnxGraph::append_of(std::vector<std::string> operands, const std::string& place,
                          const std::string& op_type,
                          std::vector<storage::OnnxAttribute> attributes) {
    last_.name = place + '/' + op_type;
    model_.nodes.push_back(
        {last_.name, op_type, std::move(operands), {last_.name}, std::move(attributes)});
}

void OnnxGraph::rename_last(const std::string& name) {
    last_.name = name;
    model_.nodes.back().name = name;
    model_.nodes.back().outputs = {name};
}

void OnnxGraph::channels_first(const trainer::LayerShape& shape) {
    if (!shape.input.is_flat) channels_first(shape.name);
}

void OnnxGraph::channels_first(const std::string& place) {
    if (last_.is_channels_first) return;
    transpose(place, {0, 3, 1, 2});
    last_.is_channels_first = true;
}

void OnnxGraph::channels_last(const std::string& place) {
    if (!last_.is_channels_first) return;
    transpose(place, {0, 2, 3, 1});
    last_.is_channels_first = false;
}

void OnnxGraph::transpose(const std::string& place, std::vector<std::int64_t> permutation) {
    append(place, "Transpose", {}, {{"perm", std::move(permutation)}});
}

const trainer::NamedTensor& OnnxGraph::weight(const std::string& layer,
                                              std::string_view name) const {
    return *std::ranges::find_if(weights_, [&](const trainer::NamedTensor& tensor) {
        return tensor.layer == layer && tensor.name == name;
    });
}

std::string OnnxGraph::constant(storage::OnnxTensor tensor) {
    model_.initializers.push_back(std::move(tensor));
    return model_.initializers.back().name;
}

std::string OnnxGraph::weight_constant(const std::string& layer, std::string_view name) {
    const trainer::NamedTensor& tensor = weight(layer, name);
    return constant({layer + '/' + tensor.name, tensor.shape, tensor.values});
}

std::string OnnxGraph::number(const std::string& name, float value) {
    return constant({name, {}, {value}});
}

std::string OnnxGraph::integers(const std::string& name, std::vector<std::int64_t> values) {
    const auto count = static_cast<std::int64_t>(values.size());
    return constant({name, {count}, {}, std::move(values)});
}

}  // namespace lockstep::pipeline
