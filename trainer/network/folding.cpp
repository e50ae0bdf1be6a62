#include "trainer/network/folding.hpp"

namespace lockstep::trainer {

namespace {

// The node that alone reads what this one makes; none where several or none do.
std::optional<std::size_t> only_reader(const Graph& graph, std::size_t node) {
    const std::vector<std::size_t>& readers = graph.values()[graph.nodes()[node].dst].consumers;
    return readers.size() == 1 ? std::optional(readers.front()) : std::nullopt;
}

const Layer& layer_of(const Graph& graph, std::size_t node) { return *graph.nodes()[node].layer; }

void fold_into(std::vector<EvaluatedNode>& evaluated, const Graph& graph, std::size_t node) {
    if (!layer_of(graph, node).can_fold_norm()) return;
    const auto norm = only_reader(graph, node);
    if (!norm) return;
    const auto folded = layer_of(graph, *norm).moving_norm();
    if (!folded) return;
    evaluated[*norm].passes_src_on = true;
    const auto relu = only_reader(graph, *norm);
    const bool has_relu = relu && layer_of(graph, *relu).is_relu();
    if (has_relu) evaluated[*relu].passes_src_on = true;
    evaluated[node].folded = {*folded, has_relu};
}

}  // namespace

std::vector<EvaluatedNode> evaluated_nodes(const Graph& graph) {
    std::vector<EvaluatedNode> evaluated(graph.nodes().size());
    for (std::size_t node = 0; node < evaluated.size(); ++node) {
        if (layer_of(graph, node).is_identity_in_evaluation()) evaluated[node].passes_src_on = true;
        fold_into(evaluated, graph, node);
    }
    return evaluated;
}

}  // namespace lockstep::trainer
