#pragma once

// 2-D convolution: dst = relu?(conv(src, weights) + bias), and its three gradients.
//
//   src [N, IC, IH, IW] * weights [OC, IC, KH, KW] + bias [OC] -> dst [N, OC, OH, OW]
//
// With G groups a filter reads the IC / G channels of its own group, and its taps may be
// dilation_rate pixels apart.
//
// A call covers one shard. So neither the result of an image nor a weight gradient can depend on
// the number of ranks, on any instruction set, and a shard's activations stay in the L2 cache.
// Computed by kernels of our own where takes_winograd() (winograd/), in some passes of few input
// channels (first/), or where each channel is by itself (depthwise/), else by oneDNN's direct ones.

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "trainer/determinism/batch_geometry.hpp"
#include "trainer/kernels/channel_groups.hpp"
#include "trainer/kernels/compute_engine.hpp"
#include "trainer/kernels/convolution_shape.hpp"
#include "trainer/kernels/depthwise/depthwise.hpp"
#include "trainer/kernels/first/first_convolution.hpp"
#include "trainer/kernels/first/first_passes.hpp"
#include "trainer/kernels/layout.hpp"
#include "trainer/kernels/linear_kernel.hpp"
#include "trainer/kernels/parameter_format.hpp"
#include "trainer/kernels/winograd/winograd.hpp"

namespace lockstep::trainer {

// The layouts of one convolution, chosen once for a whole network by what oneDNN likes.
class ConvolutionFormat {
public:
    // Channels are padded to whole blocks, with weights that stay zero, because oneDNN is slow on
    // channels that do not fill a block; up to four input channels, as of pixels, are not.
    ConvolutionFormat(ComputeEngine& engine, const ConvolutionShape& shape);
    ~ConvolutionFormat();

    const ConvolutionShape& shape() const { return shape_; }
    const Layout& src() const { return src_; }  // what the kernel wants
    const Layout& dst() const { return dst_; }
    int src_channels() const { return src_channels_; }  // padded
    int dst_channels() const { return dst_channels_; }
    bool is_winograd() const { return winograd_.has_value(); }
    const std::optional<Winograd>& winograd() const { return winograd_; }
    // Of a format that is_winograd(): parts of so few samples had better be direct.
    bool prefers_direct(int samples) const;
    // Kernels for few input channels, and which of the passes are theirs: the others are oneDNN's,
    // in the same layouts.
    const std::optional<FirstConvolution>& first() const { return first_; }
    const FirstPasses& first_passes() const { return first_passes_; }
    const std::optional<Depthwise>& depthwise() const { return depthwise_; }
    const ChannelGroups& groups() const { return groups_; }
    // Backward, its kernels can apply ReLU's gradient on the way; of no part that is_direct.
    bool masks_relu() const { return is_winograd() || (first_ && first_passes_.weights); }
    // Transformed filters, of Winograd's kernels; none of oneDNN's.
    std::size_t filter_floats() const;
    void transform_filters(const float* weights, bool for_data, float* filters) const;
    std::unique_ptr<ParameterFormat> kernel_format() const;  // Keras' [KH, KW, IC / G, OC]
    std::unique_ptr<ParameterFormat> bias_format() const;

    struct Descriptors;
    const Descriptors& descriptors() const { return *descriptors_; }
    ComputeEngine& engine() const { return engine_; }

private:
    bool has_own_kernels() const;
    bool computes_first() const;
    bool wants_few() const;  // channels without padding
    void choose_depthwise();
    void choose_onednn_layouts();
    void choose_own_kernels();

    ComputeEngine& engine_;
    ConvolutionShape shape_;
    ChannelGroups groups_;
    Layout src_;
    Layout dst_;
    int src_channels_ = 0;
    int dst_channels_ = 0;
    std::optional<Winograd> winograd_;
    std::optional<FirstConvolution> first_;
    FirstPasses first_passes_;
    std::optional<Depthwise> depthwise_;
    std::unique_ptr<Descriptors> descriptors_;
};

// src and dst in the format's layouts. The format must outlive it.
class Convolution {
public:
    Convolution(const ConvolutionFormat& format, const LinearWeights& weights,
                std::span<const LinearPart> parts);
    // For shards that lie one behind another.
    Convolution(const ConvolutionFormat& format, const LinearBuffers& buffers,
                std::span<const SampleRange> shards);

    // All parts.
    void forward();
    void backward_data();
    void backward_weights();
    void backward();

    // Part by part: see LinearCalls.
    LinearCalls& calls() { return *calls_; }

private:
    std::size_t parts_;
    std::unique_ptr<LinearCalls> calls_;
};

}  // namespace lockstep::trainer
