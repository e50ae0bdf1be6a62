#include <stdexcept>

#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/depthwise/depthwise_format.hpp"
#include "trainer/kernels/first/first_kernel_format.hpp"
#include "trainer/kernels/kernel_format.hpp"
#include "trainer/kernels/vector_lanes.hpp"
#include "trainer/kernels/winograd/winograd_convolution.hpp"

namespace lockstep::trainer {

using dnnl::memory;
using tag = dnnl::memory::format_tag;

namespace {

struct KnownTag {
    tag format;
    int block;  // 0: all channels
};
// nhwc before nchw: on a single pixel both are the same, and only the first can be padded.
constexpr std::array<KnownTag, 4> kKnownTags{
    {{tag::nChw16c, 16}, {tag::nChw8c, 8}, {tag::nhwc, 0}, {tag::nchw, 1}}};

KnownTag known_tag(const memory::desc& desc, const memory::dims& dims) {
    // A single channel of several pixels is both, too, and oneDNN's kernels want it called planes.
    const bool is_plane = dims[1] == 1 && dims[2] * dims[3] > 1;
    if (is_plane && desc == f32(dims, tag::nchw)) return {tag::nchw, 1};
    for (const KnownTag& known : kKnownTags)
        if (desc == f32(dims, known.format)) return known;
    throw std::runtime_error("oneDNN chose an activation layout that Lockstep does not know");
}

// padded: the channels oneDNN was told of. Interleaved pixels with padding are one block of them.
Layout layout_of(const KnownTag& known, const Shape& shape, int padded) {
    return blocked(shape, known.block == 0 ? padded : known.block);
}

}  // namespace

ConvolutionFormat::ConvolutionFormat(ComputeEngine& engine, const ConvolutionShape& shape)
    : engine_(engine),
      shape_(shape),
      groups_(channel_groups(shape, engine.channel_block())),
      descriptors_(std::make_unique<Descriptors>()) {
    const bool is_own = shape_.algorithm == ConvolutionAlgorithm::own_if_it_fits;
    if (is_own && shape_.is_depthwise()) {
        choose_depthwise();
    } else {
        choose_onednn_layouts();
        if (has_own_kernels()) choose_own_kernels();
    }
}

bool ConvolutionFormat::has_own_kernels() const {
    return shape_.algorithm == ConvolutionAlgorithm::own_if_it_fits && shape_.is_plain();
}

bool ConvolutionFormat::computes_first() const {
    return has_own_kernels() && FirstConvolution::computes(first_convolution_shape(shape_));
}

// Not where Winograd's products, a quarter of the direct ones, outweigh padding of one half.
bool ConvolutionFormat::wants_few() const {
    const int channels = shape_.src.channels, block = engine_.channel_block();
    const bool fits_winograd =
        2 * channels >= block && has_own_kernels() && takes_winograd(shape_, block);
    return shape_.groups == 1 && channels <= 4 && !fits_winograd;
}

void ConvolutionFormat::choose_own_kernels() {
    const int block = engine_.channel_block();
    if (descriptors_->has_winograd_layouts(block) && takes_winograd(shape_, block)) {
        winograd_ = winograd_of(*this);
        return;
    }
    if (!computes_first()) return;
    const FirstConvolutionShape first = first_convolution_shape(shape_);
    if (descriptors_->has_first_layouts(block)) first_passes_ = faster_passes(first);
    first_.emplace(first);
    src_ = planes(shape_.src);
    dst_ = blocked(shape_.dst, block);
    src_channels_ = shape_.src.channels;
    dst_channels_ = first.dst_channels;
}

void ConvolutionFormat::choose_depthwise() {
    const int block = engine_.channel_block();
    src_ = blocked(shape_.src, block);
    dst_ = blocked(shape_.dst, block);
    src_channels_ = dst_channels_ = groups_.padded_src();
    depthwise_.emplace(depthwise_shape(shape_, block));
}

void ConvolutionFormat::choose_onednn_layouts() {
    dst_channels_ = groups_.padded_dst();
    Descriptors& d = *descriptors_;
    d.oc = dst_channels_;
    d.groups = groups_.count;
    d.ih = shape_.src.height, d.iw = shape_.src.width;
    d.oh = shape_.dst.height, d.ow = shape_.dst.width;
    d.kernel = {shape_.kernel_size[0], shape_.kernel_size[1]};
    d.strides = {shape_.strides[0], shape_.strides[1]};
    d.dilates = {shape_.dilation_rate[0] - 1, shape_.dilation_rate[1] - 1};
    d.pad_before = {shape_.pad_before[0], shape_.pad_before[1]};
    d.pad_after = {shape_.pad_after[0], shape_.pad_after[1]};

    // oneDNN's choice does not change with the number of images; 4 stands for a shard.
    constexpr int kImages = 4;
    const auto choose_layouts = [&](int src_channels, tag asked) {
        src_channels_ = d.ic = src_channels;
        d.src_tag = d.dst_tag = asked;
        const auto pd =
            d.forward(engine_.onednn(), kImages, f32(d.weights_dims(), tag::any), shape_.has_relu);
        const KnownTag src_tag = known_tag(pd.src_desc(), d.src_dims(kImages));
        const KnownTag dst_tag = known_tag(pd.dst_desc(), d.dst_dims(kImages));
        d.src_tag = src_tag.format;
        d.dst_tag = dst_tag.format;
        d.weights = pd.weights_desc();
        src_ = layout_of(src_tag, shape_.src, src_channels_);
        dst_ = layout_of(dst_tag, shape_.dst, dst_channels_);
        // Asked for what it chose, it must not have taken it for another layout of the same bytes.
        const bool is_fast =
            !is_reference(d.forward(engine_.onednn(), kImages, d.weights, shape_.has_relu)) ||
            is_reference(pd);
        return is_fast && src_.padded_channels() == src_channels_ &&
               dst_.padded_channels() == dst_channels_;
    };
    // Few channels, as of pixels, have kernels of their own in oneDNN, though not 1 x 1 ones, and
    // not all numbers of them for the weights' gradient. Interleaved pixels fit where oneDNN would
    // have padded planes.
    const auto has_weights_kernel = [&] {
        const auto hint = d.forward(engine_.onednn(), kImages, d.weights, shape_.has_relu);
        const memory::desc any = f32(d.weights_dims(), tag::any);
        return !is_reference(
            d.backward_weights(engine_.onednn(), d.src(kImages), any, d.dst(kImages), hint));
    };
    const bool keeps_few = wants_few() && choose_layouts(shape_.src.channels, tag::any) &&
                           (computes_first() || has_weights_kernel());
    const int padded = groups_.padded_src();
    if (!keeps_few && !choose_layouts(padded, tag::any) && !choose_layouts(padded, tag::nhwc))
        throw std::runtime_error("oneDNN chose an activation layout that does not pad channels");
}

ConvolutionFormat::~ConvolutionFormat() = default;

bool ConvolutionFormat::prefers_direct(int samples) const {
    return is_winograd() && !repays_filters(shape_, engine_.channel_block(), samples);
}

std::size_t ConvolutionFormat::filter_floats() const {
    return winograd_ ? winograd_->filter_floats() : 0;
}

void ConvolutionFormat::transform_filters(const float* weights, bool for_data,
                                          float* filters) const {
    for_data ? winograd_->transform_filters_for_data(weights, filters)
             : winograd_->transform_filters(weights, filters);
}

std::unique_ptr<ParameterFormat> ConvolutionFormat::kernel_format() const {
    if (first_) return std::make_unique<FirstKernelFormat>(first_->shape(), shape_.dst.channels);
    if (depthwise_)
        return std::make_unique<DepthwiseKernelFormat>(depthwise_->shape(), shape_.dst.channels);
    ChannelGroups groups = groups_;
    if (groups.count == 1) groups.src_channels = src_channels_;
    return std::make_unique<KernelFormat>(engine_.onednn(), descriptors_->weights,
                                          shape_.kernel_size, groups, shape_.dst.channels);
}

std::unique_ptr<ParameterFormat> ConvolutionFormat::bias_format() const {
    return std::make_unique<ChannelFormat>(feature_positions(dst_),
                                           static_cast<std::size_t>(dst_channels_));
}

}  // namespace lockstep::trainer
