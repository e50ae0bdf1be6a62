#include "trainer/kernels/dense_ranges.hpp"

#include <algorithm>
#include <cstring>

#include "trainer/config/limits.hpp"
#include "trainer/determinism/random.hpp"
#include "trainer/kernels/aligned_array.hpp"

namespace lockstep::trainer {

namespace {

// Uniform in [-1, 1): sums of such numbers round, and differ as soon as their order does.
void fill(std::span<float> values, std::uint32_t what, std::uint32_t round) {
    const RandomKey key{what, round};
    for (std::size_t i = 0; i < values.size(); i += 4) {
        const RandomWords words = random_words(key, {static_cast<std::uint32_t>(i / 4), 0, 0, 0});
        for (std::size_t j = i; j < std::min(i + 4, values.size()); ++j)
            values[j] = 2.0F * uniform_float(words[j - i]) - 1.0F;
    }
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// One layer on random numbers, computed in one call and shard by shard.
class Trial {
public:
    Trial(const InnerProductFormat& format, const std::vector<SampleRange>& shards, int samples,
          bool needs_backward_data)
        : samples_(static_cast<std::size_t>(samples)),
          src_(samples_ * static_cast<std::size_t>(format.features())),
          diff_dst_(samples_ * static_cast<std::size_t>(format.units())),
          weights_(format.kernel_format()->size()),
          bias_(static_cast<std::size_t>(format.units())),
          whole_(src_.size(), diff_dst_.size(), needs_backward_data),
          parts_(src_.size(), diff_dst_.size(), needs_backward_data),
          in_one_(format, buffers(whole_), {{{0, samples}}, {{0, samples}}}, {}),
          by_shard_(format, buffers(parts_), {shards, shards}, {}) {}

    void run(std::uint32_t round) {
        fill(src_.span(), 1, round);
        fill(diff_dst_.span(), 2, round);
        fill(weights_.span(), 3, round);
        fill(bias_.span(), 4, round);
        for (InnerProduct* product : {&in_one_, &by_shard_}) {
            product->forward();
            product->backward_data();
        }
    }
    bool has_same_forward() const { return same_bits(whole_.dst.span(), parts_.dst.span()); }
    bool has_same_backward_data() const {
        return same_bits(whole_.diff_src.span(), parts_.diff_src.span());
    }

private:
    struct Result {
        Result(std::size_t src, std::size_t dst_size, bool needs_backward_data)
            : dst(dst_size), diff_src(needs_backward_data ? src : 0) {}
        AlignedArray<float> dst, diff_src;
    };
    LinearBuffers buffers(Result& result) {
        return {.src = src_.data(),
                .weights = weights_.data(),
                .bias = bias_.data(),
                .dst = result.dst.data(),
                .diff_dst = diff_dst_.data(),
                .diff_src = result.diff_src.size() > 0 ? result.diff_src.data() : nullptr,
                .diff_weights = {},
                .diff_bias = {}};
    }

    std::size_t samples_;
    AlignedArray<float> src_, diff_dst_, weights_, bias_;
    Result whole_, parts_;
    InnerProduct in_one_, by_shard_;
};

// Few values may agree by chance, so small layers are tried more often. The rounds of a large one
// cost as much as a few steps.
std::uint32_t rounds_for(double multiply_adds) {
    constexpr double kBudget = 1 << 24, kLeast = 2.0, kMost = 64.0;
    return static_cast<std::uint32_t>(std::clamp(kBudget / multiply_adds, kLeast, kMost));
}

}  // namespace

DenseRanges choose_dense_ranges(const InnerProductFormat& format,
                                std::span<const SampleRange> shards, bool needs_backward_data) {
    const std::vector<SampleRange> by_shard(shards.begin(), shards.end());
    DenseRanges ranges{by_shard, by_shard};
    if (shards.size() < 2) return ranges;
    const int samples = shards.back().first + shards.back().count;
    const double widest = std::max(format.features(), format.units());
    if (samples * widest > static_cast<double>(kMostValues)) return ranges;

    const std::vector<SampleRange> in_one{{0, samples}};
    ranges.forward = in_one;
    if (needs_backward_data) ranges.backward_data = in_one;
    Trial trial(format, by_shard, samples, needs_backward_data);
    const std::uint32_t rounds =
        rounds_for(static_cast<double>(samples) * format.features() * format.units());
    for (std::uint32_t round = 0; round < rounds; ++round) {
        trial.run(round);
        if (!trial.has_same_forward()) ranges.forward = by_shard;
        if (!trial.has_same_backward_data()) ranges.backward_data = by_shard;
    }
    return ranges;
}

}  // namespace lockstep::trainer
