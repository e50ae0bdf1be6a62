#pragma once

// Dense: dst = activation(src * kernel + bias). Kernel [in, out], bias [out] in files.
//
// As the network's last layer a softmax is left to the loss; elsewhere it follows as a pass of its
// own.

#include "trainer/kernels/dense/dense_format.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

class Dense : public Layer, private FactoredWeights {
public:
    Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
          Parameters& parameters);

    bool makes_relu() const override { return format_.has_relu(); }
    const FactoredWeights* factored_weights() const override { return this; }
    void bind(PassBuilder& pass) const override;

private:
    std::size_t tensor() const override { return tensors_.kernel; }
    std::size_t src_floats() const override { return src().sample_size(); }
    std::size_t diff_floats() const override { return format_.kernel().panels().diff_step(); }
    std::span<const float> form(std::size_t first, std::size_t count, const FactorPlace& batch,
                                std::span<const SampleRange> shards,
                                std::span<float> scratch) const override;

    void add_forward(PassBuilder& pass, const LinearParameters& parameters) const;
    Buffer& add_gathered_diff(PassBuilder& pass) const;
    void add_weights(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const;
    void add_data(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const;

    DenseFormat format_;
    bool has_softmax_;
    LinearTensors tensors_;
};

}  // namespace lockstep::trainer
