#include "trainer/kernels/convolution.hpp"

#include <algorithm>
#include <map>

#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/depthwise/depthwise_calls.hpp"
#include "trainer/kernels/first/first_convolution_calls.hpp"
#include "trainer/kernels/linear_calls.hpp"
#include "trainer/kernels/merged_groups_calls.hpp"
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
    Primitives(const ConvolutionFormat& format, bool has_relu)
        : has_relu_(has_relu), d_(format.descriptors()), dnn_(format.engine().onednn()) {}

    memory src(int samples, const float* data) const { return dnn_.over(d_.src(samples), data); }
    memory dst(int samples, const float* data) const { return dnn_.over(d_.dst(samples), data); }

    const Forward::primitive_desc& forward_of(int n) {
        auto found = forward_pds_.find(n);
        if (found == forward_pds_.end())
            found = forward_pds_.emplace(n, d_.forward(dnn_, n, d_.weights, has_relu_)).first;
        return found->second;
    }
    BackwardData::primitive_desc backward_data_of(int n) {
        const auto direct = d_.backward_data(dnn_, d_.src(n), d_.dst(n), forward_of(n));
        return is_reference(direct) ? d_.backward_data(dnn_, f32(d_.src_dims(n), tag::any),
                                                       f32(d_.dst_dims(n), tag::any), forward_of(n))
                                    : direct;
    }
    // In the weights' own layout; in another one; and with images in another one, too.
    BackwardWeights::primitive_desc backward_weights_of(int n) {
        const memory::desc any = f32(d_.weights_dims(), tag::any);
        const auto direct = with_layout(d_.weights, any, [&](const memory::desc& weights) {
            return d_.backward_weights(dnn_, d_.src(n), weights, d_.dst(n), forward_of(n));
        });
        return is_reference(direct)
                   ? d_.backward_weights(dnn_, f32(d_.src_dims(n), tag::any), any,
                                         f32(d_.dst_dims(n), tag::any), forward_of(n))
                   : direct;
    }

private:
    bool has_relu_;
    const ConvolutionFormat::Descriptors& d_;
    OneDnn& dnn_;
    std::map<int, Forward::primitive_desc> forward_pds_;
};

// Without the passes, and the parts, that are ours.
std::unique_ptr<OneDnnCalls> make_onednn_calls(const ConvolutionFormat& format,
                                               const LinearWeights& weights,
                                               std::span<const LinearPart> parts) {
    const bool has_own = format.first().has_value();
    const FirstPasses own = has_own ? format.first_passes() : FirstPasses{false, false};
    const auto& d = format.descriptors();
    Primitives primitives(format, format.shape().has_relu || weights.has_relu);
    auto calls =
        std::make_unique<OneDnnCalls>(format.engine().onednn(), d.weights, d.bias(), weights);
    for (const LinearPart& part : parts) {
        const int n = part.samples;
        calls->add_part();
        if (format.is_winograd() && !part.is_direct) continue;
        const memory src = primitives.src(n, part.src);
        if (!own.forward)
            calls->add_forward(primitives.forward_of(n), src, primitives.dst(n, part.dst));
        const memory diff_dst = primitives.dst(n, part.diff_dst);
        if (part.diff_src != nullptr && !has_own)
            calls->add_backward_data(primitives.backward_data_of(n), diff_dst,
                                     primitives.src(n, part.diff_src));
        if (part.diff_weights != nullptr && !own.weights)
            calls->add_backward_weights(primitives.backward_weights_of(n), part, src, diff_dst);
    }
    return calls;
}

std::unique_ptr<LinearCalls> make_calls(const ConvolutionFormat& format,
                                        const LinearWeights& weights,
                                        std::span<const LinearPart> parts) {
    if (format.is_winograd()) {
        const bool has_direct =
            std::ranges::any_of(parts, [](const LinearPart& part) { return part.is_direct; });
        return std::make_unique<WinogradConvolution>(
            format, weights, parts,
            has_direct ? make_onednn_calls(format, weights, parts) : nullptr);
    }
    if (format.depthwise()) return std::make_unique<DepthwiseCalls>(format, weights, parts);
    if (format.groups().has_zeros())
        return std::make_unique<MergedGroupsCalls>(format, parts,
                                                   make_onednn_calls(format, weights, parts));
    if (!format.first()) return make_onednn_calls(format, weights, parts);
    const FirstPasses& own = format.first_passes();
    const bool needs_onednn = !own.forward || !own.weights;
    return std::make_unique<FirstConvolutionCalls>(
        format, weights, parts, needs_onednn ? make_onednn_calls(format, weights, parts) : nullptr);
}

std::vector<LinearPart> parts_of(const ConvolutionFormat& format, const LinearBuffers& buffers,
                                 std::span<const SampleRange> shards) {
    std::vector<LinearPart> parts;
    for (std::size_t i = 0; i < shards.size(); ++i) {
        const auto first = static_cast<std::size_t>(shards[i].first);
        const std::size_t src = first * format.src().sample_size();
        const std::size_t dst = first * format.dst().sample_size();
        const bool has_gradient = i < buffers.diff_weights.size();
        parts.push_back({.samples = shards[i].count,
                         .is_direct = format.prefers_direct(shards[i].count),
                         .src = buffers.src + src,
                         .dst = buffers.dst + dst,
                         .diff_dst = buffers.diff_dst == nullptr ? nullptr : buffers.diff_dst + dst,
                         .diff_src = buffers.diff_src == nullptr ? nullptr : buffers.diff_src + src,
                         .diff_weights = has_gradient ? buffers.diff_weights[i] : nullptr,
                         .diff_bias = has_gradient ? buffers.diff_bias[i] : nullptr});
    }
    return parts;
}

}  // namespace

Convolution::Convolution(const ConvolutionFormat& format, const LinearWeights& weights,
                         std::span<const LinearPart> parts)
    : parts_(parts.size()), calls_(make_calls(format, weights, parts)) {}

Convolution::Convolution(const ConvolutionFormat& format, const LinearBuffers& buffers,
                         std::span<const SampleRange> shards)
    : Convolution(format, {.weights = buffers.weights, .bias = buffers.bias},
                  parts_of(format, buffers, shards)) {}

void Convolution::forward() {
    calls_->prepare_forward();
    for (std::size_t i = 0; i < parts_; ++i) calls_->forward(i);
}

void Convolution::backward_data() {
    calls_->prepare_backward();
    for (std::size_t i = 0; i < parts_; ++i) calls_->backward_data(i);
}

void Convolution::backward_weights() {
    for (std::size_t i = 0; i < parts_; ++i) calls_->backward_weights(i);
}

void Convolution::backward() {
    calls_->prepare_backward();
    for (std::size_t i = 0; i < parts_; ++i) calls_->backward(i);
}

}  // namespace lockstep::trainer
