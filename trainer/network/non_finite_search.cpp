#include "trainer/network/non_finite_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {
namespace {

// What a call has just written of a value is finite; or it has written none of it.
bool has_written_finite(const PlannedStep& call, const Buffer& value,
                        const BatchGeometry& geometry) {
    const Work& work = call.work->work;
    if (std::ranges::find(work.writes, &value) == work.writes.end()) return true;
    const std::size_t floats = value.size().bytes / sizeof(float);
    if (work.extent == Extent::shard) {
        const auto samples = static_cast<std::size_t>(geometry.shards[call.shard].count);
        return all_finite(value.of_shard(call.shard), samples * floats);
    }
    return all_finite(value.data(), static_cast<std::size_t>(geometry.samples) * floats);
}

// The lowest such node; nodes.size() where all outputs are finite. Layers may meet in a pass, so
// every rank makes all calls.
std::size_t first_non_finite_node(const Network& network, StepPlan& plan,
                                  const StepContext& context) {
    const std::vector<Node>& nodes = network.graph().nodes();
    std::size_t first = nodes.size();
    for (const PlannedStep& call : plan.forward_calls()) {
        call.work->work.run(context, call.shard);
        const std::size_t node = call.work->node;
        if (node < first && !has_written_finite(call, plan.value(nodes[node].dst), plan.geometry()))
            first = node;
    }
    return first;
}

}  // namespace

std::string origin_of_non_finite(const Network& network, StepPlan& plan, const StepContext& context,
                                 const Communicator& comm) {
    const std::vector<Node>& nodes = network.graph().nodes();
    const std::string own = std::to_string(first_non_finite_node(network, plan, context));
    std::size_t first = nodes.size();
    std::size_t first_rank = 0;
    const std::vector<std::string> of_ranks = comm.gather_texts(own);
    for (std::size_t rank = 0; rank < of_ranks.size(); ++rank) {
        const std::size_t node = std::stoul(of_ranks[rank]);
        if (node >= first) continue;
        first = node;
        first_rank = rank;
    }
    std::string words = "the output of every layer was finite";
    if (first < nodes.size())
        words = fmt::format(
            "the output of {} was the first that held a NaN or an infinity (on rank {})",
            nodes[first].name, first_rank);
    const std::string weight = network.parameters().non_finite_weight();
    return weight.empty() ? words : fmt::format("{}; {}", words, weight);
}

}  // namespace lockstep::trainer
