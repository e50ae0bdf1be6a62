#include "trainer/kernels/inner_product.hpp"

#include <algorithm>

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

struct InnerProduct::Calls {
    OneDnn& dnn;
    std::vector<OneDnnCall> forward;
    std::vector<OneDnnCall> backward_data;
    std::vector<OneDnnCall> backward_weights;
    AlignedArray<float> data_weights;      // weights as backward data wants them, if otherwise
    AlignedArray<float> raw_diff_weights;  // a gradient as oneDNN gives it, if otherwise
};

namespace {

class CallBuilder {
public:
    CallBuilder(const InnerProductFormat& format, const InnerProductBuffers& buffers)
        : d_(format.descriptors()),
          has_relu_(format.has_relu()),
          buffers_(buffers),
          dnn_(format.engine().onednn()) {}

    OneDnnCall forward(const SampleRange& range) {
        const auto pd = forward_of(range.count);
        return OneDnnCall(Forward(pd),
                          {{DNNL_ARG_SRC, src(range, buffers_.src)},
                           {DNNL_ARG_WEIGHTS, dnn_.over(d_.weights, buffers_.weights)},
                           {DNNL_ARG_BIAS, dnn_.over(d_.bias(), buffers_.bias)},
                           {DNNL_ARG_DST, dst(range, buffers_.dst)},
                           {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
    }

    // With a reorder of the weights in front, where backward data wants them otherwise.
    std::vector<OneDnnCall> backward_data(const SampleRange& range, AlignedArray<float>& copy) {
        auto pd = backward_data_of(range.count, d_.weights);
        if (is_reference(pd)) pd = backward_data_of(range.count, d_.any_weights());
        memory weights = dnn_.over(d_.weights, buffers_.weights);
        std::vector<OneDnnCall> calls;
        if (pd.weights_desc() != d_.weights) {
            if (copy.size() == 0) copy = AlignedArray<float>(floats_of(pd.weights_desc()));
            const memory wanted = dnn_.over(pd.weights_desc(), copy.data());
            calls.push_back(reorder_call(dnn_, weights, wanted));
            weights = wanted;
        }
        calls.emplace_back(BackwardData(pd),
                           std::vector<std::pair<int, memory>>{
                               {DNNL_ARG_DIFF_SRC, src(range, buffers_.diff_src)},
                               {DNNL_ARG_WEIGHTS, weights},
                               {DNNL_ARG_DIFF_DST, dst(range, buffers_.diff_dst)},
                               {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
        return calls;
    }

    std::vector<OneDnnCall> backward_weights(const SampleRange& shard, std::size_t i,
                                             AlignedArray<float>& raw) {
        auto pd = backward_weights_of(shard.count, d_.weights);
        if (is_reference(pd)) pd = backward_weights_of(shard.count, d_.any_weights());
        const memory gradient = dnn_.over(d_.weights, buffers_.diff_weights[i]);
        const bool is_direct = pd.diff_weights_desc() == d_.weights;
        if (!is_direct && raw.size() == 0)
            raw = AlignedArray<float>(floats_of(pd.diff_weights_desc()));
        const memory written = is_direct ? gradient : dnn_.over(pd.diff_weights_desc(), raw.data());
        std::vector<OneDnnCall> calls;
        calls.emplace_back(BackwardWeights(pd),
                           std::vector<std::pair<int, memory>>{
                               {DNNL_ARG_SRC, src(shard, buffers_.src)},
                               {DNNL_ARG_DIFF_DST, dst(shard, buffers_.diff_dst)},
                               {DNNL_ARG_DIFF_WEIGHTS, written},
                               {DNNL_ARG_DIFF_BIAS, dnn_.over(d_.bias(), buffers_.diff_bias[i])},
                               {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
        if (!is_direct) calls.push_back(reorder_call(dnn_, written, gradient));
        return calls;
    }

private:
    memory src(const SampleRange& range, const float* data) const {
        return dnn_.over(d_.src(range.count), data + std::ptrdiff_t{range.first} * d_.ic);
    }
    memory dst(const SampleRange& range, const float* data) const {
        return dnn_.over(d_.dst(range.count), data + std::ptrdiff_t{range.first} * d_.oc);
    }
    Forward::primitive_desc forward_of(int n) const {
        return d_.forward(dnn_, n, d_.weights, has_relu_);
    }
    BackwardData::primitive_desc backward_data_of(int n, const memory::desc& weights) const {
        return backward_pd<BackwardData>(dnn_, forward_of(n), d_.src(n), weights, d_.dst(n));
    }
    BackwardWeights::primitive_desc backward_weights_of(int n, const memory::desc& weights) const {
        return backward_pd<BackwardWeights>(dnn_, forward_of(n), d_.src(n), weights, d_.bias(),
                                            d_.dst(n));
    }

    const InnerProductFormat::Descriptors& d_;
    bool has_relu_;
    const InnerProductBuffers& buffers_;
    OneDnn& dnn_;
};

void append(std::vector<OneDnnCall>& calls, std::vector<OneDnnCall> more) {
    std::move(more.begin(), more.end(), std::back_inserter(calls));
}

}  // namespace

InnerProduct::InnerProduct(const InnerProductFormat& format, const InnerProductBuffers& buffers,
                           const DenseRanges& ranges, std::span<const SampleRange> shards)
    : calls_(std::make_unique<Calls>(Calls{format.engine().onednn(), {}, {}, {}, {}, {}})) {
    CallBuilder build(format, buffers);
    for (const SampleRange& range : ranges.forward) calls_->forward.push_back(build.forward(range));
    if (buffers.diff_src != nullptr)
        for (const SampleRange& range : ranges.backward_data)
            append(calls_->backward_data, build.backward_data(range, calls_->data_weights));
    for (std::size_t i = 0; i < buffers.diff_weights.size(); ++i)
        append(calls_->backward_weights,
               build.backward_weights(shards[i], i, calls_->raw_diff_weights));
}

InnerProduct::~InnerProduct() = default;

void InnerProduct::forward() {
    for (const OneDnnCall& call : calls_->forward) call.run(calls_->dnn.stream.get());
}

void InnerProduct::backward_data() {
    for (const OneDnnCall& call : calls_->backward_data) call.run(calls_->dnn.stream.get());
}

void InnerProduct::backward_weights() {
    for (const OneDnnCall& call : calls_->backward_weights) call.run(calls_->dnn.stream.get());
}

}  // namespace lockstep::trainer
