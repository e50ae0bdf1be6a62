#include "trainer/network/step_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trainer/config/out_of_memory.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/network/folding.hpp"

namespace lockstep::trainer {

namespace {

AlignedArray<float> input_array(const Network& network, const BatchGeometry& geometry) {
    const std::size_t floats =
        network.input().sample_size() * static_cast<std::size_t>(geometry.samples);
    return in_memory_for(fmt::format("the pixels of {} samples", geometry.samples),
                         floats * sizeof(float), [&] { return AlignedArray<float>(floats); });
}

}  // namespace

StepPlan::StepPlan(Network& network, PlanSetting setting, const Communicator& comm,
                   StepClocks& clocks, BufferPool& pool)
    : setting_(std::move(setting)),
      input_(input_array(network, setting_.geometry)),
      input_buffer_(Buffer::Size::of_samples(network.input().sample_size())) {
    no_gradient_.place(nullptr, setting_.geometry.shards, true);
    input_buffer_.place(reinterpret_cast<std::byte*>(input_.data()), setting_.geometry.shards,
                        false);
    gradient_floats_ = network.parameters().trainable().size();
    const PassContext context{.geometry = setting_.geometry,
                              .filled_shards = setting_.filled_shards,
                              .comm = comm,
                              .clocks = clocks,
                              .parameters = network.parameters(),
                              .seed = setting_.seed,
                              .is_training = setting_.is_training};
    bind_all(network, context);
    repeat_cheap_work(forward_works_, backward_works_);
    place(network, pool);
    in_memory_for("what kernels keep", 0, [this] {
        for (const auto& attach : attaches_) attach();
    });
    forward_ = flatten_runs(forward_works_, setting_.geometry.shards.size());
    backward_ = flatten_runs(backward_works_, setting_.geometry.shards.size());
    logits_ = values_[network.output_value()]->data();
    logit_floats_ =
        static_cast<std::size_t>(setting_.geometry.samples) * network.output().sample_size();
    if (diff_output_ != nullptr) diff_logits_ = diff_output_->data();
}

namespace {

// One gradient a consumer; of a value without any, the network's output, the loss'.
std::size_t gradients_of(const Value& value) {
    return std::max<std::size_t>(1, value.consumers.size());
}

}  // namespace

void StepPlan::make_values(const Network& network) {
    for (const Value& value : network.graph().values()) {
        const auto size = Buffer::Size::of_samples(value.layout.sample_size());
        values_.push_back(value.producer ? new_buffer(size) : &input_buffer_);
        diffs_.emplace_back();
        const bool is_output = value.consumers.empty();
        if (setting_.is_training && (value.needs_diff || is_output))
            for (std::size_t i = 0; i < gradients_of(value); ++i)
                diffs_.back().push_back(new_buffer(size));
    }
    if (setting_.is_training) diff_output_ = diffs_[network.output_value()].front();
    if (!diffs_[network.input_value()].empty()) diff_input_ = diffs_[network.input_value()].front();
}

// Nodes in their order forward, in reverse backward.
void StepPlan::bind_all(const Network& network, const PassContext& context) {
    make_values(network);
    const Graph& graph = network.graph();
    std::vector<std::vector<Work>> backward;
    const std::vector<EvaluatedNode> evaluated =
        setting_.is_training ? std::vector<EvaluatedNode>(graph.nodes().size())
                             : evaluated_nodes(graph);
    std::vector<std::size_t> next_gradient(graph.values().size(), 0);
    for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
        const Node& node = graph.nodes()[n];
        sums_.emplace_back(setting_.subtrees, context.parameters, node.trained, node.constant,
                           buffers_);
        if (evaluated[n].passes_src_on) {
            values_[node.dst] = values_[node.src.front()];
            backward.emplace_back();
        } else {
            PassBuilder::Values values = values_of(graph, n, next_gradient);
            values.folded = evaluated[n].folded;
            backward.push_back(bind_node(n, std::move(values), context, node));
            // Behind what is not trained there may be layers that would be, but for their freezing.
            if (!graph.values()[node.dst].needs_diff) backward.back().clear();
        }
    }
    if (!setting_.is_training) return;
    for (std::size_t n = graph.nodes().size(); n-- > 0;) {
        add_sums_of_gradients(graph.nodes()[n].dst, n);
        add_backward(n, std::move(backward[n]), sums_[n]);
    }
    if (diff_input_ != nullptr) add_sums_of_gradients(network.input_value(), 0);
}

//   next_gradient   by value: which of its gradients the next consumer computes
PassBuilder::Values StepPlan::values_of(const Graph& graph, std::size_t n,
                                        std::vector<std::size_t>& next_gradient) {
    const Node& node = graph.nodes()[n];
    PassBuilder::Values values;
    for (const std::size_t src : node.src) {
        values.src.push_back(values_[src]);
        const bool is_wanted = setting_.is_training && graph.values()[src].needs_diff;
        values.diff_src.push_back(is_wanted ? diffs_[src][next_gradient[src]++] : nullptr);
    }
    values.dst = values_[node.dst];
    values.diff_dst = diffs_[node.dst].empty() ? &no_gradient_ : diffs_[node.dst].front();
    values.masks_src_relu = graph.masks_src_relu(node);
    values.is_diff_dst_masked = graph.is_diff_dst_masked(node);
    if (!setting_.factors.empty()) values.factors = setting_.factors[n];
    return values;
}

// Returns the node's backward work.
std::vector<Work> StepPlan::bind_node(std::size_t n, PassBuilder::Values values,
                                      const PassContext& context, const Node& node) {
    PassBuilder builder(context, std::move(values), sums_[n], buffers_);
    in_memory_for("the kernels of " + node.name, 0, [&] { node.layer->bind(builder); });
    PassBuilder::Pass pass = builder.take();
    for (Work& work : pass.forward)
        forward_works_.push_back({.node = n, .is_backward = false, .work = std::move(work)});
    const auto append = [](auto& to, auto& from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()),
                  std::make_move_iterator(from.end()));
    };
    append(commits_, pass.commits);
    append(attaches_, pass.attaches);
    append(kept_, pass.kept);
    return std::move(pass.backward);
}

// A value that several nodes read gets the sum of the gradients that they computed.
void StepPlan::add_sums_of_gradients(std::size_t value, std::size_t node) {
    const std::vector<Buffer*>& diffs = diffs_[value];
    for (std::size_t i = 1; i < diffs.size(); ++i)
        backward_works_.push_back(
            {.node = node,
             .is_backward = true,
             .work = {.what = "sum of gradients",
                      .extent = Extent::shard,
                      .reads = {diffs[0], diffs[i]},
                      .writes = {diffs[0]},
                      .run = [sum = diffs[0], part = diffs[i],
                              floats = diffs[0]->size().bytes / sizeof(float),
                              this](const StepContext&, std::size_t shard) {
                          const auto samples =
                              static_cast<std::size_t>(setting_.geometry.shards[shard].count);
                          add_to(sum->of_shard(shard), part->of_shard(shard), samples * floats);
                      }}});
}

// Behind the piece that writes a shard's gradients come the additions that they make possible.
void StepPlan::add_backward(std::size_t node, std::vector<Work> works, const GradientSums& sums) {
    const std::vector<Buffer*> scratch = sums.buffers();
    bool has_sums = false;
    for (Work& work : works) {
        const bool writes_gradients =
            sums.adds() && std::ranges::find(work.writes, scratch.front()) != work.writes.end();
        backward_works_.push_back({.node = node, .is_backward = true, .work = std::move(work)});
        if (!writes_gradients) continue;
        if (std::exchange(has_sums, true))
            throw std::logic_error("a layer's gradients are written by one piece of work");
        backward_works_.push_back({.node = node,
                                   .is_backward = true,
                                   .work = {.what = "sum over shards",
                                            .extent = Extent::shard,
                                            .reads = scratch,
                                            .writes = scratch,
                                            .run = [&sums](const StepContext&, std::size_t shard) {
                                                sums.carry(shard);
                                            }}});
    }
}

// Forward, the loss, backward: the line on which buffers live.
void StepPlan::place(const Network& network, BufferPool& pool) {
    const std::size_t loss_run = assign_runs(forward_works_, 0);
    assign_runs(backward_works_, loss_run + 1);
    PlannedWork loss;
    loss.run = loss_run;
    loss.work.extent = Extent::rank;
    loss.work.reads = {values_.back()};
    if (diff_output_ != nullptr) loss.work.writes = {diff_output_};
    PlannedWork caller;
    caller.run = loss_run + 1 + backward_works_.size();
    caller.work.extent = Extent::rank;
    if (diff_input_ != nullptr) caller.work.reads = {diff_input_};

    std::vector<const PlannedWork*> line;
    for (const PlannedWork& work : forward_works_) line.push_back(&work);
    line.push_back(&loss);
    for (const PlannedWork& work : backward_works_) line.push_back(&work);
    line.push_back(&caller);
    arena_bytes_ = in_memory_for(purpose_of_arena(network), 0, [&] {
        return place_buffers(buffers_, line, setting_.geometry.samples, setting_.geometry.shards,
                             pool);
    });
}

// With the value that takes most of it.
std::string StepPlan::purpose_of_arena(const Network& network) const {
    const std::vector<Node>& nodes = network.graph().nodes();
    if (nodes.empty()) return "the samples";
    const auto largest = std::ranges::max_element(
        nodes, {}, [&](const Node& node) { return values_[node.dst]->size().bytes; });
    const std::size_t samples = static_cast<std::size_t>(setting_.geometry.samples);
    return fmt::format(
        "the activations{} of {} samples (the largest: {} bytes for the output of "
        "{})",
        setting_.is_training ? " and their gradients" : "", samples,
        samples * values_[largest->dst]->size().bytes, largest->name);
}

void StepPlan::forward(const StepContext& context) {
    context_ = context;
    walk(forward_);
}

void StepPlan::backward() { walk(backward_); }

void StepPlan::walk(std::span<const PlannedStep> calls) const {
    if (walker_ != nullptr) return walker_->walk(calls, context_);
    for (const PlannedStep& step : calls) step.work->work.run(context_, step.shard);
}

std::vector<std::span<float>> StepPlan::gradients() const {
    std::vector<std::span<float>> result;
    for (const SubtreeGradient& subtree : setting_.subtrees)
        result.emplace_back(subtree.gradient, gradient_floats_);
    return result;
}

void StepPlan::commit() {
    for (const auto& change : commits_) change();
}

}  // namespace lockstep::trainer
