#include <stdexcept>

#include "trainer/kernels/convolution_descriptors.hpp"
#include "trainer/kernels/first/first_kernel_format.hpp"
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

int round_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

// Keras' [KH, KW, IC, OC] <-> oneDNN's blocked weights, with channels padded on both sides.
class KernelFormat : public ParameterFormat {
public:
    KernelFormat(OneDnn& dnn, const memory::desc& weights, std::array<std::size_t, 4> keras,
                 std::array<std::size_t, 4> padded)
        : dnn_(dnn), weights_(weights), keras_(keras), padded_(padded) {}

    std::size_t size() const override { return floats_of(weights_); }

    void pack(std::span<const float> keras, std::span<float> arena) const override {
        AlignedArray<float> plain(padded_[0] * padded_[1] * padded_[2] * padded_[3]);
        for_each_row([&](std::size_t keras_at, std::size_t padded_at) {
            std::copy_n(&keras[keras_at], keras_[3], &plain[padded_at]);
        });
        reorder_now(dnn_, plain_desc(), plain.data(), weights_, arena.data());
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        AlignedArray<float> plain(padded_[0] * padded_[1] * padded_[2] * padded_[3]);
        reorder_now(dnn_, weights_, arena.data(), plain_desc(), plain.data());
        for_each_row([&](std::size_t keras_at, std::size_t padded_at) {
            std::copy_n(&plain[padded_at], keras_[3], &keras[keras_at]);
        });
    }

private:
    memory::desc plain_desc() const {
        const auto dim = [&](std::size_t i) { return static_cast<memory::dim>(padded_[i]); };
        return f32({dim(3), dim(2), dim(0), dim(1)}, tag::hwio);
    }
    template <class Copy>
    void for_each_row(Copy copy) const {  // a row: all output channels of one input channel
        for (std::size_t tap = 0; tap < keras_[0] * keras_[1]; ++tap)
            for (std::size_t ic = 0; ic < keras_[2]; ++ic)
                copy((tap * keras_[2] + ic) * keras_[3], (tap * padded_[2] + ic) * padded_[3]);
    }

    OneDnn& dnn_;
    memory::desc weights_;
    std::array<std::size_t, 4> keras_;  // KH, KW, IC, OC
    std::array<std::size_t, 4> padded_;
};

}  // namespace

ConvolutionFormat::ConvolutionFormat(ComputeEngine& engine, const ConvolutionShape& shape)
    : engine_(engine), shape_(shape), descriptors_(std::make_unique<Descriptors>()) {
    choose_onednn_layouts();
    if (has_own_kernels()) choose_own_kernels();
}

bool ConvolutionFormat::has_own_kernels() const {
    return shape_.algorithm == ConvolutionAlgorithm::own_if_it_fits;
}

bool ConvolutionFormat::computes_first() const {
    return has_own_kernels() && FirstConvolution::computes(first_convolution_shape(shape_));
}

// Not where Winograd's products, a quarter of the direct ones, outweigh padding of one half.
bool ConvolutionFormat::wants_few() const {
    const int channels = shape_.src.channels, block = engine_.channel_block();
    const bool fits_winograd =
        2 * channels >= block && has_own_kernels() && takes_winograd(shape_, block);
    return channels <= 4 && !fits_winograd;
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

void ConvolutionFormat::choose_onednn_layouts() {
    const int block = engine_.channel_block();
    dst_channels_ = round_up(shape_.dst.channels, block);
    Descriptors& d = *descriptors_;
    d.oc = dst_channels_;
    d.ih = shape_.src.height, d.iw = shape_.src.width;
    d.oh = shape_.dst.height, d.ow = shape_.dst.width;
    d.kernel = {shape_.kernel_size[0], shape_.kernel_size[1]};
    d.strides = {shape_.strides[0], shape_.strides[1]};
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
        return !is_reference(d.backward_weights(engine_.onednn(), kImages, any, hint));
    };
    const bool keeps_few = wants_few() && choose_layouts(shape_.src.channels, tag::any) &&
                           (computes_first() || has_weights_kernel());
    const int padded = round_up(shape_.src.channels, block);
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
    const auto size = [](int value) { return static_cast<std::size_t>(value); };
    const std::array<std::size_t, 4> keras{size(shape_.kernel_size[0]), size(shape_.kernel_size[1]),
                                           size(shape_.src.channels), size(shape_.dst.channels)};
    const std::array<std::size_t, 4> padded{keras[0], keras[1], size(src_channels_),
                                            size(dst_channels_)};
    return std::make_unique<KernelFormat>(engine_.onednn(), descriptors_->weights, keras, padded);
}

std::unique_ptr<ParameterFormat> ConvolutionFormat::bias_format() const {
    return std::make_unique<ChannelFormat>(feature_positions(dst_),
                                           static_cast<std::size_t>(dst_channels_));
}

}  // namespace lockstep::trainer
