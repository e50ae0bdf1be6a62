#include "trainer/kernels/inner_product.hpp"

#include <algorithm>

#include "trainer/kernels/linear_calls.hpp"
#include "trainer/kernels/onednn.hpp"

namespace lockstep::trainer {

using dnnl::memory;
using tag = dnnl::memory::format_tag;
using Forward = dnnl::inner_product_forward;
using BackwardData = dnnl::inner_product_backward_data;
using BackwardWeights = dnnl::inner_product_backward_weights;

struct InnerProductFormat::Descriptors {
    int ic = 0, oc = 0;
    memory::desc weights;

    memory::desc src(int n) const { return f32({n, ic}, tag::nc); }
    memory::desc dst(int n) const { return f32({n, oc}, tag::nc); }
    memory::desc bias() const { return f32({oc}, tag::x); }
    memory::desc any_weights() const { return f32({oc, ic}, tag::any); }

    Forward::primitive_desc forward(const OneDnn& dnn, int n, const memory::desc& weights_desc,
                                    bool has_relu) const {
        return forward_pd<Forward>(dnn, attributes(has_relu), dnnl::prop_kind::forward_training,
                                   src(n), weights_desc, bias(), dst(n));
    }
};

namespace {

// Keras' [features, units], its rows where the features stand in memory <-> oneDNN's layout.
class DenseKernelFormat : public ParameterFormat {
public:
    DenseKernelFormat(OneDnn& dnn, const memory::desc& weights, std::vector<std::uint32_t> rows,
                      std::size_t features, std::size_t units)
        : dnn_(dnn),
          weights_(weights),
          rows_(std::move(rows)),
          features_(features),
          units_(units) {}

    std::size_t size() const override { return floats_of(weights_); }

    void pack(std::span<const float> keras, std::span<float> arena) const override {
        AlignedArray<float> plain(features_ * units_);
        for (std::size_t i = 0; i < rows_.size(); ++i)
            std::copy_n(&keras[i * units_], units_, &plain[rows_[i] * units_]);
        reorder_now(dnn_, plain_desc(), plain.data(), weights_, arena.data());
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        AlignedArray<float> plain(features_ * units_);
        reorder_now(dnn_, weights_, arena.data(), plain_desc(), plain.data());
        for (std::size_t i = 0; i < rows_.size(); ++i)
            std::copy_n(&plain[rows_[i] * units_], units_, &keras[i * units_]);
    }

private:
    memory::desc plain_desc() const {  // dims are (units, features) to oneDNN; rows are features
        return f32({static_cast<memory::dim>(units_), static_cast<memory::dim>(features_)},
                   tag::io);
    }
    OneDnn& dnn_;
    memory::desc weights_;
    std::vector<std::uint32_t> rows_;
    std::size_t features_;
    std::size_t units_;
};

}  // namespace

InnerProductFormat::InnerProductFormat(ComputeEngine& engine, const Layout& incoming, int units,
                                       bool has_relu, int batch)
    : engine_(engine),
      features_(static_cast<int>(incoming.sample_size())),
      units_(units),
      has_relu_(has_relu),
      feature_positions_(lockstep::trainer::feature_positions(incoming)),
      descriptors_(std::make_unique<Descriptors>()) {
    descriptors_->ic = features_;
    descriptors_->oc = units_;
    descriptors_->weights =
        descriptors_->forward(engine.onednn(), batch, descriptors_->any_weights(), has_relu)
            .weights_desc();
}

InnerProductFormat::~InnerProductFormat() = default;

std::unique_ptr<ParameterFormat> InnerProductFormat::kernel_format() const {
    return std::make_unique<DenseKernelFormat>(
        engine_.onednn(), descriptors_->weights, feature_positions_,
        static_cast<std::size_t>(features_), static_cast<std::size_t>(units_));
}

std::unique_ptr<ParameterFormat> InnerProductFormat::bias_format() const {
    return std::make_unique<ChannelFormat>(
        lockstep::trainer::feature_positions({1, 1, units_, units_, nullptr}),
        static_cast<std::size_t>(units_));
}

namespace {

class Primitives {
public:
    explicit Primitives(const InnerProductFormat& format)
        : d_(format.descriptors()), has_relu_(format.has_relu()), dnn_(format.engine().onednn()) {}

    memory src(const SampleRange& range, const float* data) const {
        return dnn_.over(d_.src(range.count), data + std::ptrdiff_t{range.first} * d_.ic);
    }
    memory dst(const SampleRange& range, const float* data) const {
        return dnn_.over(d_.dst(range.count), data + std::ptrdiff_t{range.first} * d_.oc);
    }
    Forward::primitive_desc forward_of(int n) const {
        return d_.forward(dnn_, n, d_.weights, has_relu_);
    }
    BackwardData::primitive_desc backward_data_of(int n) const {
        return with_layout(d_.weights, d_.any_weights(), [&](const memory::desc& weights) {
            return backward_pd<BackwardData>(dnn_, forward_of(n), d_.src(n), weights, d_.dst(n));
        });
    }
    BackwardWeights::primitive_desc backward_weights_of(int n) const {
        return with_layout(d_.weights, d_.any_weights(), [&](const memory::desc& weights) {
            return backward_pd<BackwardWeights>(dnn_, forward_of(n), d_.src(n), weights, d_.bias(),
                                                d_.dst(n));
        });
    }

private:
    const InnerProductFormat::Descriptors& d_;
    bool has_relu_;
    OneDnn& dnn_;
};

std::unique_ptr<LinearCalls> make_calls(const InnerProductFormat& format,
                                        const LinearBuffers& buffers, const DenseRanges& ranges,
                                        std::span<const SampleRange> shards) {
    const auto& d = format.descriptors();
    return make_linear_calls(
        Primitives(format), OneDnnCalls(format.engine().onednn(), d.weights, d.bias(), buffers),
        {.forward = ranges.forward, .backward_data = ranges.backward_data, .shards = shards});
}

}  // namespace

InnerProduct::InnerProduct(const InnerProductFormat& format, const LinearBuffers& buffers,
                           const DenseRanges& ranges, std::span<const SampleRange> shards)
    : LinearKernel(make_calls(format, buffers, ranges, shards)) {}

}  // namespace lockstep::trainer
