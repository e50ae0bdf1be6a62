#include "trainer/parameters/parameters.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "trainer/config/errors.hpp"
#include "trainer/config/out_of_memory.hpp"
#include "trainer/determinism/digest.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/parameters/finite_tensors.hpp"

namespace lockstep::trainer {

std::size_t Parameters::add(const std::string& layer, const ParameterShape& shape,
                            std::unique_ptr<ParameterFormat> format) {
    std::size_t& end = shape.is_trainable ? trainable_size_ : constants_size_;
    const std::size_t offset = end;
    end += round_up_to_line(format->size());
    tensors_.push_back({layer, shape, std::move(format), offset});
    return tensors_.size() - 1;
}

void Parameters::allocate() {
    const auto array = [](std::size_t floats, const char* purpose) {
        return in_memory_for(purpose, floats * sizeof(float),
                             [&] { return AlignedArray<float>(floats); });
    };
    own_trainable_ = array(trainable_size_, "the weights");
    trainable_ = own_trainable_.span();
    constants_ = array(constants_size_, "the weights that are not trained");
}

void Parameters::move_trainable_to(std::span<float> memory) {
    std::ranges::copy(trainable_, memory.begin());
    trainable_ = memory.first(trainable_.size());
    own_trainable_ = {};
}

float* Parameters::data(std::size_t tensor) {
    const Tensor& t = tensors_[tensor];
    return (t.shape.is_trainable ? trainable_ : constants_.span()).data() + t.offset;
}

NamedTensor Parameters::unpacked(const Tensor& tensor, std::span<const float> arena) const {
    NamedTensor named{tensor.layer, tensor.shape.name, tensor.shape.shape, {}};
    named.values.resize(static_cast<std::size_t>(tensor.shape.size()));
    tensor.format->unpack(arena.subspan(tensor.offset, tensor.format->size()), named.values);
    return named;
}

std::vector<const Parameters::Tensor*> Parameters::tensors(bool trainable_only) const {
    std::vector<const Tensor*> chosen;
    for (const Tensor& tensor : tensors_)
        if (!trainable_only || tensor.shape.is_trainable) chosen.push_back(&tensor);
    return chosen;
}

std::vector<Parameters::Range> Parameters::trainable_ranges(std::size_t first,
                                                            std::size_t count) const {
    std::vector<Range> ranges;
    for (const Tensor* tensor : tensors(true))
        if (tensor->offset >= first && tensor->offset < first + count)
            ranges.push_back({tensor->offset, tensor->format->size()});
    return ranges;
}

std::vector<Parameters::TrainableTensor> Parameters::trainable_tensors() const {
    std::vector<TrainableTensor> all;
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const Tensor& tensor = tensors_[i];
        if (tensor.shape.is_trainable)
            all.push_back({tensor.layer, tensor.shape.name, tensor.offset, tensor.format->size(),
                           tensor.shape.shape, i});
    }
    return all;
}

// A format moves values and does not look at them: those of an arena of numbers tell their places.
// In two halves, each of which float32 has exactly.
std::vector<std::uint32_t> Parameters::positions(std::size_t tensor) const {
    constexpr std::uint32_t kHalf = 1U << 16;
    const ParameterFormat& format = *tensors_[tensor].format;
    AlignedArray<float> arena(format.size());
    const auto values = static_cast<std::size_t>(tensors_[tensor].shape.size());
    std::vector<float> numbers(values);
    std::vector<std::uint32_t> positions(values, 0);
    for (const std::uint32_t unit : {1U, kHalf}) {
        for (std::size_t i = 0; i < arena.size(); ++i)
            arena[i] = static_cast<float>(static_cast<std::uint32_t>(i) / unit % kHalf);
        format.unpack(arena.span(), numbers);
        for (std::size_t i = 0; i < values; ++i)
            positions[i] += static_cast<std::uint32_t>(numbers[i]) * unit;
    }
    return positions;
}

NamedTensors Parameters::unpack(std::span<const float> trainable,
                                std::span<const float> constants) const {
    NamedTensors all;
    for (const Tensor& tensor : tensors_)
        all.push_back(unpacked(tensor, tensor.shape.is_trainable ? trainable : constants));
    return all;
}

namespace {

// Throws unless `found` fits the tensor that the network expects in its place.
void check_fits(const std::string& layer, const ParameterShape& expected,
                const NamedTensor& found) {
    if (found.shape == expected.shape &&
        found.values.size() == static_cast<std::size_t>(expected.size()))
        return;
    throw WeightsError(
        fmt::format("weights do not fit the network: {}/{} should have shape ({}), the file has "
                    "{}/{} of shape ({})",
                    layer, expected.name, fmt::join(expected.shape, ", "), found.layer, found.name,
                    fmt::join(found.shape, ", ")));
}

}  // namespace

void Parameters::pack(const NamedTensors& weights, std::span<float> trainable,
                      std::span<float> constants) const {
    for (std::size_t i = 0; i < std::min(weights.size(), tensors_.size()); ++i)
        check_fits(tensors_[i].layer, tensors_[i].shape, weights[i]);
    if (weights.size() != tensors_.size())
        throw WeightsError(
            fmt::format("weights do not fit the network: it has {} tensors, the file has {}",
                        tensors_.size(), weights.size()));
    require_finite(weights, "weights of the network");
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const std::span<float> arena = is_trained(i) ? trainable : constants;
        tensors_[i].format->pack(weights[i].values, arena.subspan(offset(i), size(i)));
    }
}

NamedTensors Parameters::unpack_trainable(std::span<const float> arena) const {
    NamedTensors all;
    for (const Tensor* tensor : tensors(true)) all.push_back(unpacked(*tensor, arena));
    return all;
}

void Parameters::pack_trainable(const NamedTensors& named, std::span<float> arena) const {
    const auto expected = tensors(true);
    if (named.size() != expected.size())
        throw WeightsError(fmt::format("a checkpoint's slot has {} tensors, the network trains {}",
                                       named.size(), expected.size()));
    require_finite(named, "a checkpoint's slot");
    for (std::size_t i = 0; i < expected.size(); ++i) {
        check_fits(expected[i]->layer, expected[i]->shape, named[i]);
        expected[i]->format->pack(named[i].values,
                                  arena.subspan(expected[i]->offset, expected[i]->format->size()));
    }
}

std::string Parameters::non_finite_weight() const {
    const bool is_finite = all_finite(trainable_.data(), trainable_.size()) &&
                           all_finite(constants_.data(), constants_.size());
    return is_finite ? "" : non_finite_value(weights());
}

std::string Parameters::non_finite_trainable(std::span<const float> arena) const {
    return all_finite(arena.data(), arena.size()) ? "" : non_finite_value(unpack_trainable(arena));
}

std::string Parameters::digest() const {
    Sha256 digest;
    digest.update(std::as_bytes(trainable_));
    digest.update(std::as_bytes(constants_.span()));
    return digest.hex();
}

}  // namespace lockstep::trainer
