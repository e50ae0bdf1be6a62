#include "trainer/layers/pooling.hpp"

namespace lockstep::trainer {

namespace {

class MaxPoolingPass : public LayerPass {
public:
    MaxPoolingPass(const PoolingShape& shape, const PassBuffers& buffers,
                   const PassContext& context)
        : shape_(shape),
          buffers_(buffers),
          samples_(context.geometry.samples),
          relu_src_(context.masks_src_relu ? buffers.src : nullptr),
          places_(shape.dst.sample_size() * static_cast<std::size_t>(samples_)) {}

    void forward(const StepContext&) override {
        max_pooling_forward(shape_, buffers_.src, buffers_.dst, places_.data(), samples_);
    }
    void backward() override {
        max_pooling_backward(shape_, buffers_.diff_dst, places_.data(), relu_src_,
                             buffers_.diff_src, samples_);
    }

private:
    const PoolingShape& shape_;
    PassBuffers buffers_;
    int samples_;
    const float* relu_src_;
    AlignedArray<PlaceInWindow> places_;  // where each maximum was
};

class AveragePoolingPass : public LayerPass {
public:
    AveragePoolingPass(const PoolingShape& shape, const PassBuffers& buffers, int samples)
        : shape_(shape), buffers_(buffers), samples_(samples) {}

    void forward(const StepContext&) override {
        average_pooling_forward(shape_, buffers_.src, buffers_.dst, samples_);
    }
    void backward() override {
        average_pooling_backward(shape_, buffers_.diff_dst, buffers_.diff_src, samples_);
    }

private:
    const PoolingShape& shape_;
    PassBuffers buffers_;
    int samples_;
};

}  // namespace

Pooling::Pooling(const PoolingConfig& config, const LayerShape& shape, const Layout& src)
    : Layer(src, blocked(shape.output, src.block)), kind_(config.kind) {
    const Window rows =
        window_of(src.height, config.pool_size[0], config.strides[0], config.padding);
    const Window columns =
        window_of(src.width, config.pool_size[1], config.strides[1], config.padding);
    shape_ = {this->src(),
              dst(),
              config.pool_size,
              config.strides,
              {rows.pad_before, columns.pad_before}};
}

std::unique_ptr<LayerPass> Pooling::bind(const PassBuffers& buffers,
                                         const PassContext& context) const {
    if (kind_ == PoolingKind::max)
        return std::make_unique<MaxPoolingPass>(shape_, buffers, context);
    return std::make_unique<AveragePoolingPass>(shape_, buffers, context.geometry.samples);
}

}  // namespace lockstep::trainer
