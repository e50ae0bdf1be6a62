#pragma once

// A convolution's kernel, Keras' [KH, KW, IC of a group, OC], as oneDNN's blocked weights: channels
// padded on both sides, zeros between the groups that the kernel merges.

#include <algorithm>
#include <array>

#include "trainer/kernels/channel_groups.hpp"
#include "trainer/kernels/onednn.hpp"
#include "trainer/kernels/parameter_format.hpp"

namespace lockstep::trainer {

class KernelFormat : public ParameterFormat {
public:
    //   weights    oneDNN's layout
    //   channels   of dst, without padding
    KernelFormat(OneDnn& dnn, const dnnl::memory::desc& weights, std::array<int, 2> kernel_size,
                 const ChannelGroups& groups, int channels)
        : dnn_(dnn),
          weights_(weights),
          kernel_size_(kernel_size),
          groups_(groups),
          channels_(channels) {}

    std::size_t size() const override { return floats_of(weights_); }

    void pack(std::span<const float> keras, std::span<float> arena) const override {
        AlignedArray<float> plain(plain_floats());
        for_each_row([&](std::size_t keras_at, std::size_t plain_at, std::size_t count) {
            std::copy_n(&keras[keras_at], count, &plain[plain_at]);
        });
        reorder_now(dnn_, plain_desc(), plain.data(), weights_, arena.data());
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        AlignedArray<float> plain(plain_floats());
        reorder_now(dnn_, weights_, arena.data(), plain_desc(), plain.data());
        for_each_row([&](std::size_t keras_at, std::size_t plain_at, std::size_t count) {
            std::copy_n(&plain[plain_at], count, &keras[keras_at]);
        });
    }

private:
    static std::size_t size_of(int value) { return static_cast<std::size_t>(value); }

    // [KH, KW, IC of the kernel's group, OC of all groups]
    dnnl::memory::desc plain_desc() const {
        using tag = dnnl::memory::format_tag;
        if (groups_.count == 1)
            return f32(
                {groups_.dst_channels, groups_.src_channels, kernel_size_[0], kernel_size_[1]},
                tag::hwio);
        return f32({groups_.count, groups_.dst_channels, groups_.src_channels, kernel_size_[0],
                    kernel_size_[1]},
                   tag::hwigo);
    }
    std::size_t plain_floats() const {
        return size_of(kernel_size_[0]) * size_of(kernel_size_[1]) * size_of(groups_.src_channels) *
               size_of(groups_.padded_dst());
    }
    // A row: all output channels of one own group, of one tap and input channel.
    template <class Copy>
    void for_each_row(Copy copy) const {
        const std::size_t taps = size_of(kernel_size_[0]) * size_of(kernel_size_[1]);
        const std::size_t src = size_of(groups_.own_src), dst = size_of(groups_.own_dst);
        const std::size_t merged = size_of(groups_.merged), channels = size_of(channels_);
        for (std::size_t tap = 0; tap < taps; ++tap)
            for (std::size_t ic = 0; ic < src; ++ic)
                for (std::size_t oc = 0; oc < channels; oc += dst) {
                    const std::size_t plain_ic = oc / dst % merged * src + ic;
                    copy((tap * src + ic) * channels + oc,
                         (tap * size_of(groups_.src_channels) + plain_ic) *
                                 size_of(groups_.padded_dst()) +
                             oc,
                         dst);
                }
    }

    OneDnn& dnn_;
    dnnl::memory::desc weights_;
    std::array<int, 2> kernel_size_;
    ChannelGroups groups_;
    int channels_;
};

}  // namespace lockstep::trainer
