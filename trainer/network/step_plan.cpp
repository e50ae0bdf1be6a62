#include "trainer/network/step_plan.hpp"

#include <algorithm>

namespace lockstep::trainer {

float* BufferPool::buffer(std::size_t number, std::size_t floats) {
    if (number >= buffers_.size()) buffers_.resize(number + 1);
    auto& candidates = buffers_[number];
    for (auto& candidate : candidates)
        if (candidate.size() >= floats) return candidate.data();
    return candidates.emplace_back(floats).data();
}

namespace {

// Brings activations into the layout the next layer wants.
class RelayoutPass : public LayerPass {
public:
    RelayoutPass(const Layout& from, const Layout& to, const PassBuffers& buffers, int samples)
        : relayout_(from, to), buffers_(buffers), samples_(samples) {}
    void forward(const StepContext&) override {
        relayout_.forward(buffers_.src, buffers_.dst, samples_);
    }
    void backward() override { relayout_.backward(buffers_.diff_dst, buffers_.diff_src, samples_); }

private:
    Relayout relayout_;
    PassBuffers buffers_;
    int samples_;
};

// One pass to be bound: a layer, or a change of layout where `layer` is null.
struct Stage {
    const Layer* layer;
    Layout src;
    Layout dst;
    bool needs_diff_src;  // as Network::needs_diff_src()

    bool needs_backward() const {
        return needs_diff_src || (layer != nullptr && layer->has_parameters());
    }
};

std::vector<Stage> stages_of(const Network& network) {
    std::vector<Stage> stages;
    Layout layout = network.input();
    const auto& layers = network.layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Layer& layer = *layers[i];
        const bool needs_diff_src = network.needs_diff_src(i);
        if (!layer.is_identity()) {
            if (layer.src() != layout)
                stages.push_back({nullptr, layout, layer.src(), needs_diff_src});
            stages.push_back({&layer, layer.src(), layer.dst(), needs_diff_src});
        }
        layout = layer.dst();
    }
    // The loss reads one row of classes a sample: a flatten at the very end may have left them
    // elsewhere, with padding between.
    const Layout rows = interleaved({1, 1, network.classes(), true});
    if (layout != rows)
        stages.push_back({nullptr, layout, rows, network.needs_diff_src(layers.size())});
    return stages;
}

// Numbers of the pool's buffers.
constexpr std::size_t kEvenDiff = 0, kOddDiff = 1, kInput = 2, kFirstActivation = 3;

}  // namespace

StepPlan::StepPlan(Network& network, PlanSetting setting, const Communicator& comm,
                   StepClocks& clocks, BufferPool& pool)
    : setting_(std::move(setting)) {
    const std::vector<Stage> stages = stages_of(network);
    const auto samples = static_cast<std::size_t>(setting_.geometry.samples);
    const auto floats = [&](const Layout& layout) { return samples * layout.sample_size(); };

    // Gradients flow through two buffers in turn: a pass reads one and writes the other.
    std::size_t diff_floats = 0;
    for (const Stage& stage : stages) diff_floats = std::max(diff_floats, floats(stage.dst));
    const auto diff_of = [&](std::size_t stage) {
        return pool.buffer(stage % 2 == 0 ? kEvenDiff : kOddDiff, diff_floats);
    };

    const auto masks_relu_of_previous = [&](std::size_t i) {
        return setting_.is_training && i > 0 && i < stages.size() && stages[i].layer != nullptr &&
               stages[i - 1].layer != nullptr && stages[i].layer->can_mask_src_relu() &&
               stages[i - 1].layer->makes_relu();
    };

    first_backward_ = static_cast<std::size_t>(
        std::ranges::find_if(stages, &Stage::needs_backward) - stages.begin());
    input_ = pool.buffer(kInput, floats(network.input()));
    const float* src = input_;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        const Stage& stage = stages[i];
        PassBuffers buffers{.src = src,
                            .dst = pool.buffer(kFirstActivation + i, floats(stage.dst))};
        if (setting_.is_training) {
            buffers.diff_dst = diff_of(i);
            buffers.diff_src = stage.needs_diff_src ? diff_of(i - 1) : nullptr;
        }
        if (stage.layer == nullptr) {
            passes_.push_back(std::make_unique<RelayoutPass>(stage.src, stage.dst, buffers,
                                                             setting_.geometry.samples));
        } else {
            const PassContext context{.geometry = setting_.geometry,
                                      .filled_shards = setting_.filled_shards,
                                      .comm = comm,
                                      .clocks = clocks,
                                      .parameters = network.parameters(),
                                      .gradients = setting_.gradients,
                                      .seed = setting_.seed,
                                      .is_training = setting_.is_training,
                                      .masks_src_relu = masks_relu_of_previous(i),
                                      .diff_dst_is_masked = masks_relu_of_previous(i + 1)};
            passes_.push_back(stage.layer->bind(buffers, context));
        }
        src = buffers.dst;
        logits_ = buffers.dst;
        diff_logits_ = buffers.diff_dst;
        logit_floats_ = floats(stage.dst);
    }
}

void StepPlan::forward(const StepContext& context) {
    for (const auto& pass : passes_) pass->forward(context);
}

void StepPlan::backward() {
    for (std::size_t i = passes_.size(); i-- > first_backward_;) passes_[i]->backward();
}

void StepPlan::commit() {
    for (const auto& pass : passes_) pass->commit();
}

}  // namespace lockstep::trainer
