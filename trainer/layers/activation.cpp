#include "trainer/layers/activation.hpp"

#include <algorithm>
#include <optional>
#include <type_traits>
#include <variant>

#include "trainer/kernels/activations.hpp"
#include "trainer/kernels/elementwise.hpp"
#include "trainer/kernels/padding.hpp"
#include "trainer/kernels/softmax.hpp"

namespace lockstep::trainer {

namespace {

// How many floats of shard i.
auto floats_of_shards(const PassBuilder& pass, std::size_t sample_size) {
    return [shards = pass.shards(), sample_size](std::size_t i) {
        return static_cast<std::size_t>(shards[i].count) * sample_size;
    };
}

void bind_relu(PassBuilder& pass, std::size_t sample_size) {
    const auto floats = floats_of_shards(pass, sample_size);
    Buffer& dst = pass.dst();
    pass.forward({.what = "ReLU",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&dst},
                  .may_overwrite = &pass.src(),
                  .run = [floats, &src = pass.src(), &dst](const StepContext&, std::size_t i) {
                      relu_forward(src.of_shard(i), dst.of_shard(i), floats(i));
                  }});
    if (pass.diff_src() == nullptr) return;
    // Where the layer behind has masked the gradient, dst is not wanted any more.
    Buffer* mask = pass.is_diff_dst_masked() ? nullptr : &dst;
    std::vector<Buffer*> reads{&pass.diff_dst()};
    if (mask != nullptr) reads.push_back(mask);
    pass.backward({.what = "ReLU",
                   .extent = Extent::shard,
                   .reads = reads,
                   .writes = {pass.diff_src()},
                   .may_overwrite = &pass.diff_dst(),
                   .run = [floats, mask, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src()](
                              const StepContext&, std::size_t i) {
                       relu_gradient(mask == nullptr ? nullptr : mask->of_shard(i),
                                     diff_dst.of_shard(i), diff_src.of_shard(i), floats(i));
                   }});
}

void bind_elementwise(PassBuilder& pass, Activation activation, const Layout& layout) {
    const auto floats = floats_of_shards(pass, layout.sample_size());
    Buffer &src = pass.src(), &dst = pass.dst();
    std::optional<PaddingPlaces> padding;
    if (!keeps_zeros(activation)) padding.emplace(layout);
    pass.forward(
        {.what = "activation",
         .extent = Extent::shard,
         .reads = {&src},
         .writes = {&dst},
         .may_overwrite = &src,
         .run = [=, shards = pass.shards(), &src, &dst](const StepContext&, std::size_t i) {
             activation_forward(activation, src.of_shard(i), dst.of_shard(i), floats(i));
             if (padding) padding->clear(dst.of_shard(i), shards[i].count);
         }});
    if (pass.diff_src() == nullptr) return;
    Buffer& kept = has_gradient_of_output(activation) ? dst : src;
    pass.backward({.what = "activation",
                   .extent = Extent::shard,
                   .reads = {&kept, &pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .may_overwrite = &pass.diff_dst(),
                   .run = [=, &kept, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src()](
                              const StepContext&, std::size_t i) {
                       activation_gradient(activation, kept.of_shard(i), diff_dst.of_shard(i),
                                           diff_src.of_shard(i), floats(i));
                   }});
}

// Rows of features, brought together in a plain copy: behind a flatten they may stand apart, with
// padding between that must not take part.
class Rows {
public:
    explicit Rows(const Layout& layout)
        : positions_(feature_positions(layout)), sample_size_(layout.sample_size()) {}

    std::size_t features() const { return positions_.size(); }
    void gather(const float* values, float* rows, int samples) const {
        for (int n = 0; n < samples; ++n, values += sample_size_)
            for (const std::uint32_t position : positions_) *rows++ = values[position];
    }
    void scatter(const float* rows, float* values, int samples) const {
        std::fill_n(values, sample_size_ * static_cast<std::size_t>(samples), 0.0F);
        for (int n = 0; n < samples; ++n, values += sample_size_)
            for (const std::uint32_t position : positions_) values[position] = *rows++;
    }

private:
    std::vector<std::uint32_t> positions_;
    std::size_t sample_size_;
};

// Over vectors (infer_shapes() lets no image come here).
void bind_softmax(PassBuilder& pass, const Layout& layout) {
    const Rows rows(layout);
    const auto features = static_cast<int>(rows.features());
    Buffer& p = pass.scratch(Buffer::Size::of_samples(rows.features()));
    pass.forward({.what = "softmax",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&p, &pass.dst()},
                  .run = [rows, features, &p, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext&, std::size_t i) {
                      const int samples = shards[i].count;
                      rows.gather(src.of_shard(i), p.of_shard(i), samples);
                      softmax_forward(p.of_shard(i), p.of_shard(i), samples, features);
                      rows.scatter(p.of_shard(i), dst.of_shard(i), samples);
                  }});
    if (pass.diff_src() == nullptr) return;
    Buffer& diff = pass.scratch(Buffer::Size::of_samples(rows.features()));
    pass.backward({.what = "softmax",
                   .extent = Extent::shard,
                   .reads = {&p, &pass.diff_dst()},
                   .writes = {&diff, pass.diff_src()},
                   .run = [rows, features, &p, &diff, &diff_dst = pass.diff_dst(),
                           &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       const int samples = shards[i].count;
                       rows.gather(diff_dst.of_shard(i), diff.of_shard(i), samples);
                       softmax_backward(p.of_shard(i), diff.of_shard(i), samples, features);
                       rows.scatter(diff.of_shard(i), diff_src.of_shard(i), samples);
                   }});
}

}  // namespace

void ActivationLayer::bind(PassBuilder& pass) const {
    if (activation_ == Activation::softmax)
        bind_softmax(pass, src());
    else if (activation_ == Activation::relu)
        bind_relu(pass, src().sample_size());
    else
        bind_elementwise(pass, activation_, src());
}

Activation activation_behind(const LayerConfig& config) {
    const auto activation_of = [](const auto& kind) {
        using Kind = std::decay_t<decltype(kind)>;
        if constexpr (requires { kind.activation; } && !std::is_same_v<Kind, ActivationConfig>)
            return kind.activation;
        return Activation::linear;
    };
    const Activation activation = std::visit(activation_of, config.kind);
    return is_elementwise(activation) ? activation : Activation::linear;
}

}  // namespace lockstep::trainer
