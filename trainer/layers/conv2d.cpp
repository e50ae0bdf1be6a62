#include "trainer/layers/conv2d.hpp"

#include <algorithm>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

ConvolutionShape convolution_shape(const Conv2dConfig& config, const LayerSetting& setting) {
    return convolution_shape(config, setting.shape.input, setting.shape.output);
}

ConvolutionShape convolution_shape(const Conv2dConfig& config, const Shape& src, const Shape& dst) {
    const auto window = [&](std::size_t axis, int size) {
        return window_of(size, config.kernel_size[axis], config.strides[axis], config.padding,
                         config.dilation_rate[axis]);
    };
    const Window rows = window(0, src.height), columns = window(1, src.width);
    return {.src = src,
            .dst = dst,
            .kernel_size = config.kernel_size,
            .strides = config.strides,
            .pad_before = {rows.pad_before, columns.pad_before},
            .pad_after = {rows.pad_after, columns.pad_after},
            .dilation_rate = config.dilation_rate,
            .groups = config.groups,
            .has_relu = config.activation == Activation::relu};
}

Conv2dConfig grouped(const DepthwiseConv2dConfig& config, int channels) {
    return {.filters = channels * config.depth_multiplier,
            .kernel_size = config.kernel_size,
            .strides = config.strides,
            .padding = config.padding,
            .activation = config.activation,
            .use_bias = config.use_bias,
            .dilation_rate = config.dilation_rate,
            .groups = channels};
}

namespace {

// A part for each own shard, once their buffers are placed.
struct BoundConvolution {
    LinearParameters parameters;
    std::optional<Convolution> convolution{};

    LinearCalls& calls() { return convolution->calls(); }
};

// Evaluation gives an image the same bits however many are beside it.
bool is_direct(const PassBuilder& pass, const ConvolutionFormat& format, const SampleRange& shard) {
    return pass.is_training() && format.prefers_direct(shard.count);
}

bool has_direct(const PassBuilder& pass, const ConvolutionFormat& format) {
    return std::ranges::any_of(
        pass.shards(), [&](const SampleRange& shard) { return is_direct(pass, format, shard); });
}

bool needs_filters(const PassBuilder& pass, const ConvolutionFormat& format) {
    return format.is_winograd() &&
           !std::ranges::all_of(pass.shards(), [&](const SampleRange& shard) {
               return is_direct(pass, format, shard);
           });
}

bool masks_relu(const PassBuilder& pass, const ConvolutionFormat& format) {
    return format.masks_relu() && !has_direct(pass, format);
}

LinearWeights weights_of(const LinearParameters& parameters, const FoldedWeights* folded) {
    if (folded == nullptr) return {.weights = parameters.weights(), .bias = parameters.bias()};
    return {.weights = folded->weights().data(), .bias = folded->bias().data()};
}

std::vector<Buffer*> forward_reads(const PassBuilder& pass, const FoldedWeights* folded,
                                   Buffer* filters) {
    std::vector<Buffer*> reads{&pass.src()};
    if (filters != nullptr) reads.push_back(filters);
    if (folded != nullptr && filters == nullptr) reads.push_back(&folded->weights());
    if (folded != nullptr) reads.push_back(&folded->bias());
    return reads;
}

}  // namespace

Conv2d::Conv2d(const Conv2dConfig& config, const LayerSetting& setting, ComputeEngine& engine,
               Parameters& parameters)
    : Conv2d(std::make_unique<ConvolutionFormat>(engine, convolution_shape(config, setting)),
             setting.shape, parameters) {}

Conv2d::Conv2d(std::unique_ptr<ConvolutionFormat> format, const LayerShape& shape,
               Parameters& parameters)
    : Layer(format->src(), format->dst()),
      format_(std::move(format)),
      tensors_(add_linear_tensors(parameters, shape, format_->kernel_format(),
                                  format_->bias_format())) {}

void Conv2d::bind(PassBuilder& pass) const {
    auto& bound = pass.keep(std::make_unique<BoundConvolution>(BoundConvolution{
        LinearParameters(tensors_, static_cast<std::size_t>(format_->dst_channels()), pass)}));
    const FoldedWeights* folded = add_folded(pass, bound.parameters);
    Buffer* filters = add_filters(pass, false, folded == nullptr ? nullptr : &folded->weights());
    pass.forward(
        {.what = "convolution",
         .extent = Extent::shard,
         .products = 1,
         .reads = forward_reads(pass, folded, filters),
         .writes = {&pass.dst()},
         .run = [&bound](const StepContext&, std::size_t i) { bound.calls().forward(i); }});
    const auto calls = [&bound]() -> LinearCalls& { return bound.calls(); };
    Buffer* filters_for_data =
        pass.is_training() ? add_backward(pass, calls, bound.parameters.are_trained()) : nullptr;
    const bool is_training = pass.is_training();
    const bool masks =
        is_training && makes_relu() && !pass.is_diff_dst_masked() && masks_relu(pass, *format_);
    const bool has_relu = pass.folded() && pass.folded()->has_relu;
    std::vector<bool> are_direct;
    for (const SampleRange& shard : pass.shards())
        are_direct.push_back(is_direct(pass, *format_, shard));
    pass.on_placed([=, this, &bound, &src = pass.src(), &dst = pass.dst(),
                    diff_dst = is_training ? &pass.diff_dst() : nullptr, diff_src = pass.diff_src(),
                    shards = pass.shards()] {
        const LinearParameters& parameters = bound.parameters;
        std::vector<LinearPart> parts;
        for (std::size_t i = 0; i < shards.size(); ++i) {
            LinearPart part{.samples = shards[i].count,
                            .is_direct = are_direct[i],
                            .src = src.of_shard(i),
                            .dst = dst.of_shard(i)};
            if (masks) part.relu_dst = dst.of_shard(i);
            if (diff_src != nullptr) part.diff_src = diff_src->of_shard(i);
            if (is_training) part.diff_dst = diff_dst->of_shard(i);
            if (is_training && parameters.are_trained()) {
                part.diff_weights = parameters.diff_weights(i);
                part.diff_bias = parameters.diff_bias(i);
            }
            parts.push_back(part);
        }
        const auto place = [](const Buffer* b) { return b == nullptr ? nullptr : b->data(); };
        LinearWeights weights = weights_of(parameters, folded);
        weights.filters = place(filters);
        weights.filters_for_data = place(filters_for_data);
        weights.has_relu = has_relu;
        bound.convolution.emplace(*format_, weights, parts);
    });
}

// Null where no normalization is computed along.
const FoldedWeights* Conv2d::add_folded(PassBuilder& pass,
                                        const LinearParameters& parameters) const {
    if (!pass.folded()) return nullptr;
    auto& folded = pass.keep(std::make_unique<FoldedWeights>(*format_, pass.folded()->norm, pass));
    folded.add_to(pass, parameters);
    return &folded;
}

// Where the kernels read transformed filters: made from the weights once for all shards of a run.
//   folded   the weights, if they are not those among the parameters
Buffer* Conv2d::add_filters(PassBuilder& pass, bool for_data, Buffer* folded) const {
    if (!needs_filters(pass, *format_)) return nullptr;
    Buffer& filters = pass.scratch(Buffer::Size::of_all(format_->filter_floats()));
    Work work{.what = for_data ? "filters for data" : "filters",
              .extent = Extent::prepare,
              .reads = {},
              .writes = {&filters},
              .run = [this, for_data, folded, &filters,
                      weights = pass.context().parameters.data(tensors_.kernel)](const StepContext&,
                                                                                 std::size_t) {
                  format_->transform_filters(folded == nullptr ? weights : folded->data(), for_data,
                                             filters.data());
              }};
    if (folded != nullptr) work.reads.push_back(folded);
    for_data ? pass.backward(std::move(work)) : pass.forward(std::move(work));
    return &filters;
}

//   are_trained   the weights: else their gradient is left out
Buffer* Conv2d::add_backward(PassBuilder& pass, const std::function<LinearCalls&()>& calls,
                             bool are_trained) const {
    Buffer& diff_dst = pass.diff_dst();
    std::vector<Buffer*> reads{&pass.src(), &diff_dst};
    const bool needs_mask = makes_relu() && !pass.is_diff_dst_masked();
    if (needs_mask && masks_relu(pass, *format_)) reads.push_back(&pass.dst());
    if (needs_mask && !masks_relu(pass, *format_))
        pass.backward({.what = "ReLU",
                       .extent = Extent::shard,
                       .reads = {&pass.dst(), &diff_dst},
                       .writes = {&diff_dst},
                       .run = [&dst = pass.dst(), &diff_dst, size = dst().sample_size(),
                               ranges = pass.shards()](const StepContext&, std::size_t i) {
                           relu_backward(dst.of_shard(i), diff_dst.of_shard(i),
                                         static_cast<std::size_t>(ranges[i].count) * size);
                       }});
    Buffer* filters = pass.diff_src() == nullptr ? nullptr : add_filters(pass, true, nullptr);
    if (filters != nullptr) reads.push_back(filters);
    // oneDNN wants the weights in another layout there.
    if (pass.diff_src() != nullptr && (filters == nullptr || has_direct(pass, *format_)))
        pass.backward(
            {.what = "weights for data",
             .extent = Extent::prepare,
             .reads = {},
             .writes = {},
             .run = [calls](const StepContext&, std::size_t) { calls().prepare_backward(); }});
    std::vector<Buffer*> writes;
    if (are_trained) writes = pass.gradients().buffers();
    if (pass.diff_src() != nullptr) writes.push_back(pass.diff_src());
    pass.backward({.what = "convolution",
                   .extent = Extent::shard,
                   .products = (are_trained ? 1 : 0) + (pass.diff_src() != nullptr ? 1 : 0),
                   .reads = reads,
                   .writes = writes,
                   .run = [calls, are_trained](const StepContext&, std::size_t i) {
                       are_trained ? calls().backward(i) : calls().backward_data(i);
                   }});
    return filters;
}

}  // namespace lockstep::trainer
