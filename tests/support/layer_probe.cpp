#include "tests/support/layer_probe.hpp"

#include <stdexcept>

#include "trainer/determinism/shards.hpp"

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

// A network has to end in a vector, so a flatten follows; it moves nothing.
std::vector<LayerConfig> with_flatten(const LayerConfig& config) {
    return {config, {"flatten", FlattenConfig{}}};
}

LayerShape shape_of(const LayerConfig& config, const Shape& input) {
    try {
        infer_shapes(with_flatten(config), input,
                     -1);  // never fits: the shapes come with the error
    } catch (const ShapeError& error) {
        if (error.so_far().layers.size() == 2) return error.so_far().layers.front();
        throw;
    }
    throw std::logic_error("a network of -1 classes");
}

}  // namespace

LayerProbe::LayerProbe(const LayerProbeSetting& setting, const Communicator& comm)
    : shape_(shape_of(setting.config, setting.input)),
      network_(with_flatten(setting.config), setting.input, static_cast<int>(shape_.output.size()),
               setting.batch),
      geometry_(batch_geometry(setting.batch, setting.shards, 1, 0)),
      filled_shards_(filled_shards_by_rank(setting.batch, setting.shards, 1)) {
    const auto samples = static_cast<std::size_t>(setting.batch);
    src_ = AlignedArray<float>(samples * layer().src().sample_size());
    diff_src_ = AlignedArray<float>(src_.size());
    dst_ = AlignedArray<float>(samples * layer().dst().sample_size());
    diff_dst_ = AlignedArray<float>(dst_.size());
    if (setting.is_training)
        for (std::size_t i = 0; i < geometry_.shards.size(); ++i)
            gradients_.emplace_back(network_.parameters().trainable().size());
    for (auto& gradient : gradients_) gradient_pointers_.push_back(gradient.data());
    PassBuffers buffers{.src = src_.data(), .dst = dst_.data()};
    if (setting.is_training) {
        buffers.diff_dst = diff_dst_.data();
        buffers.diff_src = diff_src_.data();
    }
    pass_ = layer().bind(buffers, {.geometry = geometry_,
                                   .filled_shards = filled_shards_,
                                   .comm = comm,
                                   .clocks = clocks_,
                                   .parameters = network_.parameters(),
                                   .gradients = gradient_pointers_,
                                   .seed = setting.seed,
                                   .is_training = setting.is_training,
                                   .masks_src_relu = setting.masks_src_relu});
}

std::vector<float> LayerProbe::forward(std::span<const float> src, std::int64_t step) {
    relayout(interleaved(shape_.input), src.data(), layer().src(), src_.data(), batch());
    pass_->forward({step});
    std::vector<float> dst(static_cast<std::size_t>(shape_.output.size() * batch()));
    relayout(layer().dst(), dst_.data(), interleaved(shape_.output), dst.data(), batch());
    return dst;
}

std::vector<float> LayerProbe::backward(std::span<const float> diff_dst) {
    relayout(interleaved(shape_.output), diff_dst.data(), layer().dst(), diff_dst_.data(), batch());
    pass_->backward();
    std::vector<float> diff_src(static_cast<std::size_t>(shape_.input.size() * batch()));
    relayout(layer().src(), diff_src_.data(), interleaved(shape_.input), diff_src.data(), batch());
    return diff_src;
}

NamedTensors LayerProbe::gradients() const {
    std::vector<float> sum(network_.parameters().trainable().size(), 0.0F);
    for (const auto& gradient : gradients_)
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += gradient[i];
    return network_.parameters().unpack_trainable(sum);
}

}  // namespace lockstep::tests
