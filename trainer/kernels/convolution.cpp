#include "trainer/kernels/convolution.hpp"

#include <map>

#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/linear_calls.hpp"
#include "trainer/kernels/winograd/winograd_convolution.hpp"

namespace lockstep::trainer {

using dnnl::algorithm;
using dnnl::memory;
using tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

namespace {

// Shards have at most two sizes, which share their primitives.
class Primitives {
public:
    explicit Primitives(const ConvolutionFormat& format)
        : format_(format), d_(format.descriptors()), dnn_(format.engine().onednn()) {}

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
        return with_layout(
            d_.weights, f32(d_.weights_dims(), tag::any), [&](const memory::desc& weights) {
                return backward_pd<BackwardWeights>(
                    dnn_, forward_of(n), algorithm::convolution_direct, d_.src(n), weights,
                    d_.bias(), d_.dst(n), d_.strides, d_.pad_before, d_.pad_after);
            });
    }

private:
    static std::size_t offset(const SampleRange& shard, const Layout& layout) {
        return static_cast<std::size_t>(shard.first) * layout.sample_size();
    }

    const ConvolutionFormat& format_;
    const ConvolutionFormat::Descriptors& d_;
    OneDnn& dnn_;
    std::map<int, Forward::primitive_desc> forward_pds_;
};

std::unique_ptr<LinearCalls> make_calls(const ConvolutionFormat& format,
                                        const LinearBuffers& buffers,
                                        std::span<const SampleRange> shards) {
    if (format.is_winograd()) {
        return std::make_unique<WinogradConvolution>(format, buffers, shards);
    }
    const auto& d = format.descriptors();
    return make_linear_calls(Primitives(format),
                             OneDnnCalls(format.engine().onednn(), d.weights, d.bias(), buffers),
                             {.forward = shards, .backward_data = shards, .shards = shards});
}

}  // namespace

Convolution::Convolution(const ConvolutionFormat& format, const LinearBuffers& buffers,
                         std::span<const SampleRange> shards)
    : LinearKernel(make_calls(format, buffers, shards)) {}

}  // namespace lockstep::trainer
