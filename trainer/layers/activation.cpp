#include "trainer/layers/activation.hpp"

#include <algorithm>

#include "trainer/kernels/elementwise.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

namespace {

class ReluPass : public LayerPass {
public:
    ReluPass(const PassBuffers& buffers, std::size_t floats) : buffers_(buffers), floats_(floats) {}
    void forward(const StepContext&) override { relu_forward(buffers_.src, buffers_.dst, floats_); }
    void backward() override {
        std::copy_n(buffers_.diff_dst, floats_, buffers_.diff_src);
        relu_backward(buffers_.dst, buffers_.diff_src, floats_);
    }

private:
    PassBuffers buffers_;
    std::size_t floats_;
};

// Over vectors (infer_shapes() lets no image come here). Features are brought together in a plain
// copy: behind a flatten they may stand apart, with padding between that must not take part.
class SoftmaxPass : public LayerPass {
public:
    SoftmaxPass(const PassBuffers& buffers, const Layout& layout, int samples)
        : buffers_(buffers),
          positions_(feature_positions(layout)),
          sample_size_(layout.sample_size()),
          samples_(samples),
          p_(positions_.size() * static_cast<std::size_t>(samples)),
          diff_(p_.size()) {}

    void forward(const StepContext&) override {
        gather(buffers_.src, p_.data());
        softmax_forward(p_.data(), p_.data(), samples_, features());
        scatter(p_.data(), buffers_.dst);
    }
    void backward() override {
        gather(buffers_.diff_dst, diff_.data());
        softmax_backward(p_.data(), diff_.data(), samples_, features());
        scatter(diff_.data(), buffers_.diff_src);
    }

private:
    int features() const { return static_cast<int>(positions_.size()); }
    void gather(const float* values, float* rows) const {
        for (int n = 0; n < samples_; ++n, values += sample_size_)
            for (const std::uint32_t position : positions_) *rows++ = values[position];
    }
    void scatter(const float* rows, float* values) const {
        std::fill_n(values, sample_size_ * static_cast<std::size_t>(samples_), 0.0F);
        for (int n = 0; n < samples_; ++n, values += sample_size_)
            for (const std::uint32_t position : positions_) values[position] = *rows++;
    }

    PassBuffers buffers_;
    std::vector<std::uint32_t> positions_;
    std::size_t sample_size_;
    int samples_;
    AlignedArray<float> p_;  // [samples, features], in Keras' order
    AlignedArray<float> diff_;
};

}  // namespace

std::unique_ptr<LayerPass> ActivationLayer::bind(const PassBuffers& buffers,
                                                 const PassContext& context) const {
    const int samples = context.geometry.samples;
    if (activation_ == Activation::softmax)
        return std::make_unique<SoftmaxPass>(buffers, src(), samples);
    return std::make_unique<ReluPass>(buffers,
                                      src().sample_size() * static_cast<std::size_t>(samples));
}

}  // namespace lockstep::trainer
