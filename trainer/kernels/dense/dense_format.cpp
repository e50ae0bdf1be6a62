#include "trainer/kernels/dense/dense_format.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace lockstep::trainer {
namespace {

// Keras' [features, units], its rows where the features stand in memory <-> panels.
class PanelFormat : public ParameterFormat {
public:
    PanelFormat(const DensePanels& panels, std::vector<std::uint32_t> rows)
        : panels_(panels), rows_(std::move(rows)) {}

    std::size_t size() const override { return panels_.weight_floats(); }

    void pack(std::span<const float> keras, std::span<float> arena) const override {
        std::ranges::fill(arena, 0.0F);
        for_each_weight(
            [&](std::size_t in_keras, std::size_t in_arena) { arena[in_arena] = keras[in_keras]; });
    }
    void unpack(std::span<const float> arena, std::span<float> keras) const override {
        for_each_weight(
            [&](std::size_t in_keras, std::size_t in_arena) { keras[in_keras] = arena[in_arena]; });
    }

private:
    template <class Move>
    void for_each_weight(Move move) const {
        std::size_t in_keras = 0;
        for (const std::uint32_t row : rows_)
            for (int unit = 0; unit < panels_.units; ++unit)
                move(in_keras++, panels_.place(static_cast<int>(row), unit));
    }

    DensePanels panels_;
    std::vector<std::uint32_t> rows_;
};

}  // namespace

DenseFormat::DenseFormat(const Layout& incoming, int units, bool has_relu)
    : kernel_(static_cast<int>(incoming.sample_size()), units),
      has_relu_(has_relu),
      feature_positions_(lockstep::trainer::feature_positions(incoming)) {}

std::unique_ptr<ParameterFormat> DenseFormat::kernel_format() const {
    return std::make_unique<PanelFormat>(kernel_.panels(), feature_positions_);
}

std::unique_ptr<ParameterFormat> DenseFormat::bias_format() const {
    return std::make_unique<ChannelFormat>(
        lockstep::trainer::feature_positions({1, 1, units(), units(), nullptr}),
        static_cast<std::size_t>(units()));
}

}  // namespace lockstep::trainer
