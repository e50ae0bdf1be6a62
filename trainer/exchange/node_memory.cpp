#include "trainer/exchange/node_memory.hpp"

#include <new>
#include <utility>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {
namespace {

constexpr std::size_t kCounterFloats = sizeof(SharedCounter) / sizeof(float);

// With a line of slack, as AlignedArray has: a kernel may finish its last vector.
std::size_t with_slack(std::size_t floats) { return round_up_to_line(floats) + kAlignedFloats; }

std::size_t counter_floats(const NodeMemory::Layout& layout) {
    return layout.ranks == 1 ? 0 : static_cast<std::size_t>(layout.ranks) * kCounterFloats;
}

std::size_t all_floats(const NodeMemory::Layout& layout) {
    const auto gradients = static_cast<std::size_t>(layout.ranks * layout.gradients);
    return counter_floats(layout) + with_slack(layout.weights) +
           gradients * with_slack(layout.gradient) + with_slack(layout.directions) +
           with_slack(layout.factors);
}

}  // namespace

std::optional<NodeMemory> NodeMemory::make(const Communicator& node, const Layout& layout) {
    NodeMemory memory(layout);
    const std::size_t floats = all_floats(layout);
    if (node.size() == 1) {
        memory.own_ = in_memory_for("the weights and gradients", floats * sizeof(float),
                                    [&] { return AlignedArray<float>(floats); });
        memory.floats_ = memory.own_.span();
        return memory;
    }
    std::optional<SharedMemory> shared = SharedMemory::map(node, floats * sizeof(float));
    if (!shared) return std::nullopt;
    memory.shared_.emplace(std::move(*shared));
    memory.floats_ = {reinterpret_cast<float*>(memory.shared_->bytes().data()), floats};
    new (&memory.counters()[static_cast<std::size_t>(node.rank())]) SharedCounter;
    node.barrier();  // every counter is there before anyone looks at it
    return memory;
}

std::span<SharedCounter> NodeMemory::counters() const {
    if (layout_.ranks == 1) return {};
    return {reinterpret_cast<SharedCounter*>(floats_.data()),
            static_cast<std::size_t>(layout_.ranks)};
}

std::span<float> NodeMemory::weights() const {
    return floats_.subspan(counter_floats(layout_), layout_.weights);
}

std::span<float> NodeMemory::gradient(int rank, int index) const {
    const auto number = static_cast<std::size_t>(rank * layout_.gradients + index);
    const std::size_t first = counter_floats(layout_) + with_slack(layout_.weights);
    return floats_.subspan(first + number * with_slack(layout_.gradient), layout_.gradient);
}

std::span<float> NodeMemory::directions() const {
    const std::size_t behind = with_slack(layout_.directions) + with_slack(layout_.factors);
    return floats_.last(behind).first(layout_.directions);
}

std::span<float> NodeMemory::factors() const {
    return floats_.last(with_slack(layout_.factors)).first(layout_.factors);
}

}  // namespace lockstep::trainer
