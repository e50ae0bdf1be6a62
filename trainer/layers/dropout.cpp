#include "trainer/layers/dropout.hpp"

#include <algorithm>
#include <cmath>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

namespace {

class DropoutPass : public LayerPass {
public:
    DropoutPass(double rate, std::uint32_t index, const Layout& layout, const PassBuffers& buffers,
                const PassContext& context)
        : index_(index),
          buffers_(buffers),
          samples_(context.geometry.samples),
          first_sample_(context.geometry.first_sample),
          size_(layout.sample_size()),
          mask_size_((size_ + kDropoutRun - 1) / kDropoutRun * kDropoutMaskBytes),
          kept_(mask_size_ * static_cast<std::size_t>(samples_)) {
        draw_.key = random_key(context.seed, Purpose::dropout);
        draw_.threshold = static_cast<std::uint32_t>(std::lround(rate * 65536.0));
        draw_.scale = static_cast<float>(1.0 / (1.0 - rate));
    }

    void forward(const StepContext& context) override {
        const auto step = static_cast<std::uint64_t>(context.step);
        draw_.counter[0] = static_cast<std::uint32_t>(step);
        draw_.counter[1] = static_cast<std::uint32_t>(step >> 32) ^ index_ << 16;
        for (int n = 0; n < samples_; ++n) {
            draw_.counter[2] = static_cast<std::uint32_t>(first_sample_ + n);
            dropout_forward(draw_, buffers_.src + at(n), buffers_.dst + at(n), mask(n), size_);
        }
    }
    void backward() override {
        for (int n = 0; n < samples_; ++n)
            dropout_backward(mask(n), draw_.scale, buffers_.diff_dst + at(n),
                             buffers_.diff_src + at(n), size_);
    }

private:
    std::size_t at(int n) const { return static_cast<std::size_t>(n) * size_; }
    std::uint8_t* mask(int n) { return kept_.data() + static_cast<std::size_t>(n) * mask_size_; }

    std::uint32_t index_;
    PassBuffers buffers_;
    int samples_;
    int first_sample_;
    std::size_t size_;
    std::size_t mask_size_;
    AlignedArray<unsigned char> kept_;
    DropoutDraw draw_{};
};

// Evaluation: nothing is dropped.
class CopyPass : public LayerPass {
public:
    CopyPass(const PassBuffers& buffers, std::size_t floats) : buffers_(buffers), floats_(floats) {}
    void forward(const StepContext&) override { std::copy_n(buffers_.src, floats_, buffers_.dst); }
    void backward() override {}

private:
    PassBuffers buffers_;
    std::size_t floats_;
};

}  // namespace

std::unique_ptr<LayerPass> Dropout::bind(const PassBuffers& buffers,
                                         const PassContext& context) const {
    if (context.is_training)
        return std::make_unique<DropoutPass>(rate_, index_, src(), buffers, context);
    return std::make_unique<CopyPass>(
        buffers, src().sample_size() * static_cast<std::size_t>(context.geometry.samples));
}

}  // namespace lockstep::trainer
