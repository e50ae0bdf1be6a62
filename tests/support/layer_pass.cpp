#include "tests/support/layer_pass.hpp"

#include <algorithm>
#include <stdexcept>

namespace lockstep::tests {

using namespace lockstep::trainer;

namespace {

class NoGradients : public GradientPlaces {
public:
    float* of(std::size_t, std::size_t) const override {
        throw std::logic_error("a layer without parameters has no gradients");
    }
    std::vector<Buffer*> buffers() const override { return {}; }
    std::span<const SubtreeGradient> subtrees() const override { return {}; }
};

std::size_t bytes_of(const Buffer& buffer, int samples) {
    return buffer.size().bytes *
           (buffer.size().is_fixed ? 1 : static_cast<std::size_t>(std::max(samples, 1)));
}

}  // namespace

LayerPass::LayerPass(const Layer& layer, const LayerPassSetting& setting, const Communicator& comm)
    : geometry_(setting.geometry), filled_shards_{static_cast<int>(geometry_.shards.size())} {
    const auto values = [&](const Layout& layout) {
        return &buffers_.emplace_back(Buffer::Size::of_samples(layout.sample_size()));
    };
    src_ = values(layer.src());
    dst_ = values(layer.dst());
    diff_dst_ = values(layer.dst());
    diff_src_ = values(layer.src());
    const PassContext context{.geometry = geometry_,
                              .filled_shards = filled_shards_,
                              .comm = comm,
                              .clocks = clocks_,
                              .parameters = parameters_,
                              .seed = setting.seed,
                              .is_training = setting.is_training};
    NoGradients gradients;
    PassBuilder builder(
        context, {.src = {src_}, .dst = dst_, .diff_dst = diff_dst_, .diff_src = {diff_src_}},
        gradients, buffers_);
    layer.bind(builder);
    pass_ = builder.take();
    for (Buffer& buffer : buffers_) {
        auto& memory = memory_.emplace_back(bytes_of(buffer, geometry_.samples));
        buffer.place(reinterpret_cast<std::byte*>(memory.data()), geometry_.shards, false);
    }
    for (const auto& attach : pass_.attaches) attach();
}

void LayerPass::run(const std::vector<Work>& works) {
    for (const Work& work : works) {
        const std::size_t times = work.extent == Extent::shard ? geometry_.shards.size() : 1;
        for (std::size_t shard = 0; shard < times; ++shard) work.run(context_, shard);
    }
}

std::vector<float> LayerPass::forward(const std::vector<float>& src, std::int64_t step) {
    context_ = {step};
    std::ranges::copy(src, src_->data());
    run(pass_.forward);
    const std::size_t floats = bytes_of(*dst_, geometry_.samples) / sizeof(float);
    return {dst_->data(), dst_->data() + floats};
}

std::vector<float> LayerPass::backward(const std::vector<float>& diff_dst) {
    std::ranges::copy(diff_dst, diff_dst_->data());
    run(pass_.backward);
    const std::size_t floats = bytes_of(*diff_src_, geometry_.samples) / sizeof(float);
    return {diff_src_->data(), diff_src_->data() + floats};
}

}  // namespace lockstep::tests
