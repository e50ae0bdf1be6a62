#include "trainer/kernels/convolution.hpp"

#include <map>
#include <stdexcept>

#include "trainer/kernels/onednn.hpp"
#include "trainer/kernels/winograd/winograd_convolution.hpp"

namespace lockstep::trainer {

using dnnl::algorithm;
using dnnl::memory;
using tag = dnnl::memory::format_tag;
using Forward = dnnl::convolution_forward;
using BackwardData = dnnl::convolution_backward_data;
using BackwardWeights = dnnl::convolution_backward_weights;

// Everything oneDNN needs to know of the convolution, as its dims.
struct ConvolutionFormat::Descriptors {
    int ic = 0, oc = 0, ih = 0, iw = 0, oh = 0, ow = 0;
    memory::dims kernel, strides, pad_before, pad_after;
    tag src_tag = tag::any, dst_tag = tag::any;
    memory::desc weights;

    memory::dims src_dims(int n) const { return {n, ic, ih, iw}; }
    memory::dims dst_dims(int n) const { return {n, oc, oh, ow}; }
    memory::dims weights_dims() const { return {oc, ic, kernel[0], kernel[1]}; }
    memory::desc src(int n) const { return f32(src_dims(n), src_tag); }
    memory::desc dst(int n) const { return f32(dst_dims(n), dst_tag); }
    memory::desc bias() const { return f32({oc}, tag::x); }

    // Blocks on both sides, as winograd.hpp wants them.
    bool has_winograd_layouts(int block) const {
        const tag activations = block == 16 ? tag::nChw16c : tag::nChw8c;
        const tag filters = block == 16 ? tag::OIhw16i16o : tag::OIhw8i8o;
        return src_tag == activations && dst_tag == activations &&
               weights == f32(weights_dims(), filters);
    }

    Forward::primitive_desc forward(const OneDnn& dnn, int n, const memory::desc& weights_desc,
                                    bool has_relu) const {
        return forward_pd<Forward>(dnn, attributes(has_relu), dnnl::prop_kind::forward_training,
                                   algorithm::convolution_direct, src(n), weights_desc, bias(),
                                   dst(n), strides, pad_before, pad_after);
    }
};

namespace {

struct KnownTag {
    tag format;
    int block;  // 0: all channels
};
// nhwc before nchw: on a single pixel both are the same, and only the first can be padded.
constexpr std::array<KnownTag, 4> kKnownTags{
    {{tag::nChw16c, 16}, {tag::nChw8c, 8}, {tag::nhwc, 0}, {tag::nchw, 1}}};

KnownTag known_tag(const memory::desc& desc, const memory::dims& dims) {
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
    const int block = engine.channel_block();
    dst_channels_ = round_up(shape.dst.channels, block);
    Descriptors& d = *descriptors_;
    d.oc = dst_channels_;
    d.ih = shape.src.height, d.iw = shape.src.width;
    d.oh = shape.dst.height, d.ow = shape.dst.width;
    d.kernel = {shape.kernel_size[0], shape.kernel_size[1]};
    d.strides = {shape.strides[0], shape.strides[1]};
    d.pad_before = {shape.pad_before[0], shape.pad_before[1]};
    d.pad_after = {shape.pad_after[0], shape.pad_after[1]};

    // oneDNN's choice does not change with the number of images; 4 stands for a shard.
    constexpr int kImages = 4;
    const auto choose_layouts = [&](int src_channels, tag asked) {
        src_channels_ = d.ic = src_channels;
        d.src_tag = d.dst_tag = asked;
        const auto pd =
            d.forward(engine.onednn(), kImages, f32(d.weights_dims(), tag::any), shape.has_relu);
        const KnownTag src_tag = known_tag(pd.src_desc(), d.src_dims(kImages));
        const KnownTag dst_tag = known_tag(pd.dst_desc(), d.dst_dims(kImages));
        d.src_tag = src_tag.format;
        d.dst_tag = dst_tag.format;
        d.weights = pd.weights_desc();
        src_ = layout_of(src_tag, shape.src, src_channels_);
        dst_ = layout_of(dst_tag, shape.dst, dst_channels_);
        return src_.padded_channels() == src_channels_ && dst_.padded_channels() == dst_channels_;
    };
    // Few channels, as of pixels, have kernels of their own in oneDNN, though not 1 x 1 ones, and
    // none for backward data. Interleaved pixels fit where oneDNN would have padded planes.
    const bool has_few = shape.src.channels <= 4 && !shape.needs_diff_src;
    const int padded = round_up(shape.src.channels, block);
    if (!(has_few && choose_layouts(shape.src.channels, tag::any)) &&
        !choose_layouts(padded, tag::any) && !choose_layouts(padded, tag::nhwc))
        throw std::runtime_error("oneDNN chose an activation layout that does not pad channels");
    is_winograd_ = shape.algorithm == ConvolutionAlgorithm::by_rule &&
                   d.has_winograd_layouts(block) && takes_winograd(shape, block);
}

ConvolutionFormat::~ConvolutionFormat() = default;

std::unique_ptr<ParameterFormat> ConvolutionFormat::kernel_format() const {
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

struct Convolution::Calls {
    OneDnn& dnn;
    std::unique_ptr<WinogradConvolution> winograd;  // does all three, where it is there
    std::vector<OneDnnCall> forward;
    OneDnnCall weights_for_data;  // weights -> the layout that backward data wants
    std::vector<OneDnnCall> backward_data;
    std::vector<OneDnnCall> backward_weights;  // per shard: the gradient, then its reorder if any
    AlignedArray<float> data_weights;
    AlignedArray<float> raw_diff_weights;
    AlignedArray<float> raw_diff_dst, raw_diff_src;  // where backward data wants other layouts
};

namespace {

// Builds the calls of all shards; shards have at most two sizes, which share their primitives.
class CallBuilder {
public:
    CallBuilder(const ConvolutionFormat& format, const ConvolutionBuffers& buffers)
        : format_(format),
          d_(format.descriptors()),
          buffers_(buffers),
          dnn_(format.engine().onednn()) {}

    OneDnnCall forward(const SampleRange& shard) {
        const auto& pd = forward_of(shard.count);
        return OneDnnCall(Forward(pd),
                          {{DNNL_ARG_SRC, src(shard)},
                           {DNNL_ARG_WEIGHTS, dnn_.over(d_.weights, buffers_.weights)},
                           {DNNL_ARG_BIAS, dnn_.over(d_.bias(), buffers_.bias)},
                           {DNNL_ARG_DST, dst(shard, buffers_.dst)},
                           {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
    }

    memory::desc data_weights_desc(int count) { return backward_data_of(count).weights_desc(); }

    // With reorders around it where oneDNN has a kernel for other layouts only (strides of 3).
    std::vector<OneDnnCall> backward_data(const SampleRange& shard, const float* weights,
                                          AlignedArray<float>& raw_dst,
                                          AlignedArray<float>& raw_src) {
        const auto pd = backward_data_of(shard.count);
        const memory diff_dst = dst(shard, buffers_.diff_dst);
        const memory diff_src =
            dnn_.over(d_.src(shard.count), buffers_.diff_src + offset(shard, format_.src()));
        const memory read = in_layout(pd.diff_dst_desc(), diff_dst, raw_dst);
        const memory written = in_layout(pd.diff_src_desc(), diff_src, raw_src);
        std::vector<OneDnnCall> calls;
        if (read != diff_dst) calls.push_back(reorder_call(dnn_, diff_dst, read));
        calls.emplace_back(BackwardData(pd),
                           std::vector<std::pair<int, memory>>{
                               {DNNL_ARG_DIFF_SRC, written},
                               {DNNL_ARG_WEIGHTS, dnn_.over(pd.weights_desc(), weights)},
                               {DNNL_ARG_DIFF_DST, read},
                               {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
        if (written != diff_src) calls.push_back(reorder_call(dnn_, written, diff_src));
        return calls;
    }

    // The calls of shard i: its gradient, and a reorder where oneDNN gives it in another layout.
    std::vector<OneDnnCall> backward_weights(const SampleRange& shard, std::size_t i,
                                             AlignedArray<float>& raw) {
        const auto pd = backward_weights_of(shard.count);
        const memory gradient = dnn_.over(d_.weights, buffers_.diff_weights[i]);
        const bool is_direct = pd.diff_weights_desc() == d_.weights;
        if (!is_direct && raw.size() == 0)
            raw = AlignedArray<float>(floats_of(pd.diff_weights_desc()));
        const memory written = is_direct ? gradient : dnn_.over(pd.diff_weights_desc(), raw.data());
        std::vector<OneDnnCall> calls;
        calls.emplace_back(BackwardWeights(pd),
                           std::vector<std::pair<int, memory>>{
                               {DNNL_ARG_SRC, src(shard)},
                               {DNNL_ARG_DIFF_DST, dst(shard, buffers_.diff_dst)},
                               {DNNL_ARG_DIFF_WEIGHTS, written},
                               {DNNL_ARG_DIFF_BIAS, dnn_.over(d_.bias(), buffers_.diff_bias[i])},
                               {DNNL_ARG_SCRATCHPAD, dnn_.scratchpad(pd.scratchpad_desc())}});
        if (!is_direct) calls.push_back(reorder_call(dnn_, written, gradient));
        return calls;
    }

private:
    static std::size_t offset(const SampleRange& shard, const Layout& layout) {
        return static_cast<std::size_t>(shard.first) * layout.sample_size();
    }
    memory src(const SampleRange& shard) const {
        return dnn_.over(d_.src(shard.count), buffers_.src + offset(shard, format_.src()));
    }
    memory dst(const SampleRange& shard, const float* data) const {
        return dnn_.over(d_.dst(shard.count), data + offset(shard, format_.dst()));
    }
    // `own` itself if it has that layout, else a memory over `raw`. The first shard is the largest.
    memory in_layout(const memory::desc& wanted, const memory& own,
                     AlignedArray<float>& raw) const {
        if (wanted == own.get_desc()) return own;
        if (raw.size() == 0) raw = AlignedArray<float>(floats_of(wanted));
        return dnn_.over(wanted, raw.data());
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
    const ConvolutionBuffers& buffers_;
    OneDnn& dnn_;
    std::map<int, Forward::primitive_desc> forward_pds_;
};

}  // namespace

Convolution::Convolution(const ConvolutionFormat& format, const ConvolutionBuffers& buffers,
                         std::span<const SampleRange> shards)
    : calls_(std::make_unique<Calls>(
          Calls{format.engine().onednn(), {}, {}, {}, {}, {}, {}, {}, {}, {}})) {
    if (format.is_winograd()) {
        calls_->winograd = std::make_unique<WinogradConvolution>(
            format.engine(), format.shape(), format.src().block, format.src_channels(),
            format.dst_channels(), buffers, shards);
        return;
    }
    CallBuilder build(format, buffers);
    for (const SampleRange& shard : shards) calls_->forward.push_back(build.forward(shard));
    for (std::size_t i = 0; i < buffers.diff_weights.size(); ++i)
        for (OneDnnCall& call : build.backward_weights(shards[i], i, calls_->raw_diff_weights))
            calls_->backward_weights.push_back(std::move(call));
    if (buffers.diff_src == nullptr || shards.empty()) return;

    const auto& d = format.descriptors();
    const float* weights = buffers.weights;
    const memory::desc wanted = build.data_weights_desc(shards.front().count);
    if (wanted != d.weights) {
        calls_->data_weights = AlignedArray<float>(floats_of(wanted));
        weights = calls_->data_weights.data();
        calls_->weights_for_data =
            reorder_call(calls_->dnn, calls_->dnn.over(d.weights, buffers.weights),
                         calls_->dnn.over(wanted, weights));
    }
    for (const SampleRange& shard : shards) {
        if (build.data_weights_desc(shard.count) != wanted)
            throw std::runtime_error("oneDNN wants other weights for another shard size");
        for (OneDnnCall& call :
             build.backward_data(shard, weights, calls_->raw_diff_dst, calls_->raw_diff_src))
            calls_->backward_data.push_back(std::move(call));
    }
}

Convolution::~Convolution() = default;

void Convolution::forward() {
    if (calls_->winograd) return calls_->winograd->forward();
    for (const OneDnnCall& call : calls_->forward) call.run(calls_->dnn.stream.get());
}

void Convolution::backward_data() {
    if (calls_->winograd) return calls_->winograd->backward_data();
    if (calls_->weights_for_data) calls_->weights_for_data.run(calls_->dnn.stream.get());
    for (const OneDnnCall& call : calls_->backward_data) call.run(calls_->dnn.stream.get());
}

void Convolution::backward_weights() {
    if (calls_->winograd) return calls_->winograd->backward_weights();
    for (const OneDnnCall& call : calls_->backward_weights) call.run(calls_->dnn.stream.get());
}

}  // namespace lockstep::trainer
