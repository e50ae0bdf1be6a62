#include "trainer/kernels/channel_scaling.hpp"

#include <optional>

#include "trainer/kernels/aligned_array.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/channel_scaling.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

#include "trainer/kernels/simd_loops.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {

HWY_ATTR void ScaleRuns(const float* weights, const float* factors, std::size_t run,
                        std::span<const std::uint32_t> first_channels, float* scaled) {
    with_vectors_of(static_cast<int>(run), [=](auto d) HWY_ATTR {
        std::size_t at = 0;
        for (const std::uint32_t channel : first_channels)
            for (std::size_t i = 0; i < run; i += hn::Lanes(d), at += hn::Lanes(d))
                hn::StoreU(hn::Mul(hn::LoadU(d, weights + at), hn::LoadU(d, factors + channel + i)),
                           d, scaled + at);
    });
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(ScaleRuns);

namespace {

// By place among the kernel's weights: the number of its channel, from 1; 0 is padding. The format
// itself is asked, by packing a kernel of such numbers, which float32 holds exactly.
AlignedArray<float> channel_numbers(const ParameterFormat& format, std::size_t keras,
                                    std::size_t channels) {
    std::vector<float> numbers(keras);
    for (std::size_t i = 0; i < keras; ++i) numbers[i] = static_cast<float>(i % channels + 1);
    AlignedArray<float> packed(format.size());
    format.pack(numbers, packed.span());
    return packed;
}

// The channel of the first of a run whose channels follow each other; padding, being zero, fits in
// anywhere. None where they do not follow each other.
std::optional<std::uint32_t> first_channel(std::span<const float> numbers) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto number = static_cast<std::size_t>(numbers[i]);
        if (number == 0) continue;
        if (number < i + 1) return {};
        if (first.value_or(number - 1 - i) != number - 1 - i) return {};
        first = number - 1 - i;
    }
    return static_cast<std::uint32_t>(first.value_or(0));
}

std::optional<std::vector<std::uint32_t>> first_channels(std::span<const float> numbers,
                                                         std::size_t run, std::size_t padded) {
    if (numbers.size() % run != 0) return {};
    std::vector<std::uint32_t> firsts;
    for (std::size_t at = 0; at < numbers.size(); at += run) {
        const auto first = first_channel(numbers.subspan(at, run));
        if (!first || *first + run > padded) return {};
        firsts.push_back(*first);
    }
    return firsts;
}

}  // namespace

ChannelScaling::ChannelScaling(const ParameterFormat& format, std::size_t keras,
                               std::size_t channels, std::size_t block)
    : run_(block) {
    const AlignedArray<float> numbers = channel_numbers(format, keras, channels);
    const std::size_t padded = (channels + block - 1) / block * block;
    auto firsts = first_channels(numbers.span(), run_, padded);
    if (!firsts) firsts = first_channels(numbers.span(), run_ = 1, padded);
    first_channels_ = std::move(*firsts);
}

void ChannelScaling::scale(const float* weights, std::span<const float> factors,
                           float* scaled) const {
    HWY_DYNAMIC_DISPATCH(ScaleRuns)(weights, factors.data(), run_, first_channels_, scaled);
}

}  // namespace lockstep::trainer
#endif
