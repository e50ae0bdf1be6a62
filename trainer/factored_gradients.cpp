#include "trainer/factored_gradients.hpp"

#include <algorithm>

namespace lockstep::trainer {

namespace {

// Worth it where the factors of a batch are less to move than the gradient is.
bool is_wide(const FactoredWeights& weights, std::size_t count, int batch) {
    return (weights.src_floats() + weights.diff_floats()) * static_cast<std::size_t>(batch) < count;
}

}  // namespace

FactoredGradients::FactoredGradients(const Network& network, int batch)
    : nodes_(network.graph().nodes().size()) {
    const Parameters& parameters = network.parameters();
    const auto samples = static_cast<std::size_t>(batch);
    for (std::size_t n = 0; n < nodes_; ++n) {
        const FactoredWeights* weights = network.graph().nodes()[n].layer->factored_weights();
        if (weights == nullptr || !parameters.is_trained(weights->tensor())) continue;
        const std::size_t count = parameters.size(weights->tensor());
        if (!is_wide(*weights, count, batch)) continue;
        const std::size_t src = floats_, diff = src + samples * weights->src_floats();
        floats_ = round_up_to_line(diff + samples * weights->diff_floats());
        entries_.push_back({.node = n,
                            .weights = weights,
                            .first = parameters.offset(weights->tensor()),
                            .count = count,
                            .src = src,
                            .diff = diff});
    }
    scratch_ = AlignedArray<float>(kFormedPiece + 2 * FactoredWeights::kSlack);
}

FactorPlace FactoredGradients::place(const Entry& entry, std::span<float> memory,
                                     std::size_t sample) {
    return {.src = memory.data() + entry.src + sample * entry.weights->src_floats(),
            .diff = memory.data() + entry.diff + sample * entry.weights->diff_floats()};
}

std::vector<std::optional<FactorPlace>> FactoredGradients::places(std::span<float> memory,
                                                                  int first_sample) const {
    std::vector<std::optional<FactorPlace>> places(nodes_);
    if (memory.empty()) return places;
    for (const Entry& entry : entries_)
        places[entry.node] = place(entry, memory, static_cast<std::size_t>(first_sample));
    return places;
}

std::vector<FormedRange> FactoredGradients::ranges(std::span<float> memory) {
    std::vector<FormedRange> ranges;
    if (memory.empty()) return ranges;
    for (const Entry& entry : entries_)
        ranges.push_back({.first = entry.first,
                          .count = entry.count,
                          .form = [this, entry, batch = place(entry, memory, 0)](
                                      std::size_t first, std::size_t count) {
                              return entry.weights->form(first - entry.first, count, batch, shards_,
                                                         scratch_.span());
                          }});
    return ranges;
}

}  // namespace lockstep::trainer
