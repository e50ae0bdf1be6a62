#include "trainer/kernels/convolution.hpp"

#include <map>

#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/linear_calls.hpp"

namespace lockstep::trainer {

using dnnl::algorithm;
using dnnl::memory;
using tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

namespace {

// Builds the calls of all shards; shards have at most two sizes, which share their primitives.
class CallBuilder {
public:
    CallBuilder(const ConvolutionFormat& format, const LinearBuffers& buffers)
        : format_(format),
          d_(format.descriptors()),
          dnn_(format.engine().onednn()),
          calls_(std::make_unique<LinearCalls>(dnn_, d_.weights, d_.bias(), buffers)) {}

    void add_forward(const SampleRange& shard) {
        calls_->add_forward(forward_of(shard.count), src(shard, buffers().src),
                            dst(shard, buffers().dst));
    }
    void add_backward_data(const SampleRange& shard) {
        calls_->add_backward_data(backward_data_of(shard.count), dst(shard, buffers().diff_dst),
                                  src(shard, buffers().diff_src));
    }
    void add_backward_weights(const SampleRange& shard, std::size_t i) {
        calls_->add_backward_weights(backward_weights_of(shard.count), i, src(shard, buffers().src),
                                     dst(shard, buffers().diff_dst));
    }
    std::unique_ptr<LinearCalls> calls() { return std::move(calls_); }

private:
    const LinearBuffers& buffers() const { return calls_->buffers(); }
    static std::size_t offset(const SampleRange& shard, const Layout& layout) {
        return static_cast<std::size_t>(shard.first) * layout.sample_size();
    }
    memory src(const SampleRange& shard, const float* data) const {
        return dnn_.over(d_.src(shard.count), data + offset(shard, format_.src()));
    }
    memory dst(const SampleRange& shard, const float* data) const {
        return dnn_.over(d_.dst(shard.count), data + offset(shard, format_.dst()));
    }

    const Forward::primitive_desc& forward_of(int n) {
        auto found = forward_pds_.find(n);
        if (found == forward_pds_.end())
            found =
                forward_pds_.emplace(n, d_.forward(dnn_, n, d_.weights, format_.shape().has_relu))
                    .first;
        return found->second;
    }
    BackwardData::primitive_desc backward_data_of(int n) {
        const auto make = [&](const memory::desc& diff_src, const memory::desc& diff_dst) {
            return backward_pd<BackwardData>(dnn_, forward_of(n), algorithm::convolution_direct,
                                             diff_src, f32(d_.weights_dims(), tag::any), diff_dst,
                                             d_.strides, d_.pad_before, d_.pad_after);
        };
        const auto direct = make(d_.src(n), d_.dst(n));
        return is_reference(direct)
                   ? make(f32(d_.src_dims(n), tag::any), f32(d_.dst_dims(n), tag::any))
                   : direct;
    }
    BackwardWeights::primitive_desc backward_weights_of(int n) {
        const auto make = [&](const memory::desc& weights) {
            return backward_pd<BackwardWeights>(dnn_, forward_of(n), algorithm::convolution_direct,
                                                d_.src(n), weights, d_.bias(), d_.dst(n),
                                                d_.strides, d_.pad_before, d_.pad_after);
        };
        const auto direct = make(d_.weights);
        return is_reference(direct) ? make(f32(d_.weights_dims(), tag::any)) : direct;
    }

    const ConvolutionFormat& format_;
    const ConvolutionFormat::Descriptors& d_;
    OneDnn& dnn_;
    std::unique_ptr<LinearCalls> calls_;
    std::map<int, Forward::primitive_desc> forward_pds_;
};

std::unique_ptr<LinearCalls> make_calls(const ConvolutionFormat& format,
                                        const LinearBuffers& buffers,
                                        std::span<const SampleRange> shards) {
    CallBuilder build(format, buffers);
    for (std::size_t i = 0; i < shards.size(); ++i) {
        build.add_forward(shards[i]);
        if (i < buffers.diff_weights.size()) build.add_backward_weights(shards[i], i);
        if (buffers.diff_src != nullptr) build.add_backward_data(shards[i]);
    }
    return build.calls();
}

}  // namespace

Convolution::Convolution(const ConvolutionFormat& format, const LinearBuffers& buffers,
                         std::span<const SampleRange> shards)
    : LinearKernel(make_calls(format, buffers, shards)) {}

}  // namespace lockstep::trainer
