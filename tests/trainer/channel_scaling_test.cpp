// Weights times a factor a channel, in every layout: what packing the scaled weights gives.
#include "trainer/kernels/channel_scaling.hpp"

#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"
#include "tests/trainer/every_target.hpp"
#include "trainer/kernels/aligned_array.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

// Rows of Keras' [rows, channels] cut into blocks of channels; with block 1 each channel's rows
// stand together.
class BlockedFormat : public ParameterFormat {
public:
    BlockedFormat(std::size_t rows, std::size_t channels, std::size_t block)
        : rows_(rows), channels_(channels), block_(block) {}
    std::size_t size() const override {
        return rows_ * ((channels_ + block_ - 1) / block_ * block_);
    }
    void pack(std::span<const float> keras, std::span<float> arena) const override {
        for (float& value : arena) value = 0.0F;
        for (std::size_t i = 0; i < keras.size(); ++i) arena[position(i)] = keras[i];
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        for (std::size_t i = 0; i < keras.size(); ++i) keras[i] = arena[position(i)];
    }

private:
    std::size_t position(std::size_t i) const {
        const std::size_t row = i / channels_, c = i % channels_;
        return (c / block_ * rows_ + row) * block_ + c % block_;
    }
    std::size_t rows_, channels_, block_;
};

}  // namespace

TEST_CASE("channel scaling: blocks, tails and other orders", "[trainer][kernel]") {
    constexpr std::size_t kRows = 7;
    for (const std::size_t block : {std::size_t{8}, std::size_t{16}})
        for (const std::size_t stored :
             {std::size_t{1}, std::size_t{4}, block, std::size_t{32}})  // the weights' own block
            for (const std::size_t channels : {1, 7, 8, 9, 15, 16, 17, 33}) {
                CAPTURE(block, stored, channels);
                const BlockedFormat format(kRows, channels, stored);
                RandomValues random(51);
                std::vector<float> weights = random.floats(kRows * channels);
                std::vector<float> factors = random.floats((channels + 31) / 32 * 32);
                AlignedArray<float> packed(format.size()), expected(format.size());
                format.pack(weights, packed.span());
                for (std::size_t i = 0; i < weights.size(); ++i)
                    weights[i] *= factors[i % channels];
                format.pack(weights, expected.span());
                const ChannelScaling scaling(format, weights.size(), channels, block);
                on_every_target([&] {
                    AlignedArray<float> scaled(format.size());
                    scaling.scale(packed.data(), factors, scaled.data());
                    for (std::size_t i = 0; i < format.size(); ++i)
                        CHECK(scaled.data()[i] == expected.data()[i]);
                });
            }
}
