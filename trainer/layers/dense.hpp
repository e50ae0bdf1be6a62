#pragma once

// Dense: dst = activation(src * kernel + bias). Kernel [in, out], bias [out] in files.
//
// As the network's last layer a softmax is left to the loss; elsewhere it follows as a pass of its
// own.

#include "trainer/kernels/dense/dense_format.hpp"
#include "trainer/layers/layer.hpp"
#include "trainer/layers/linear.hpp"

namespace lockstep::trainer {

class Dense : public Layer {
public:
    Dense(const DenseConfig& config, const LayerSetting& setting, const Layout& src,
          Parameters& parameters);

    bool makes_relu() const override { return format_.has_relu(); }
    bool has_parameters() const override { return true; }
    void bind(PassBuilder& pass) const override;

private:
    void add_forward(PassBuilder& pass, const LinearParameters& parameters) const;
    Buffer& add_gathered_diff(PassBuilder& pass) const;
    void add_weights(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const;
    void add_data(PassBuilder& pass, const LinearParameters& parameters, Buffer& diff) const;

    DenseFormat format_;
    bool has_softmax_;
    LinearTensors tensors_;
};

}  // namespace lockstep::trainer
