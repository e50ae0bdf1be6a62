#include "trainer/layers/dropout.hpp"

#include <cmath>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

DropoutDraw dropout_draw(double rate, std::uint64_t seed) {
    DropoutDraw draw{};
    draw.key = random_key(seed, Purpose::dropout);
    draw.threshold = static_cast<std::uint32_t>(std::lround(rate * 65536.0));
    draw.scale = static_cast<float>(1.0 / (1.0 - rate));
    return draw;
}

DropoutDraw draw_of_sample(DropoutDraw draw, std::uint32_t layer, std::int64_t step, int sample) {
    const auto steps = static_cast<std::uint64_t>(step);
    draw.counter[0] = static_cast<std::uint32_t>(steps);
    draw.counter[1] = static_cast<std::uint32_t>(steps >> 32) ^ layer << 16;
    draw.counter[2] = static_cast<std::uint32_t>(sample);
    return draw;
}

void Dropout::bind(PassBuilder& pass) const {
    const std::size_t size = src().sample_size();
    const std::size_t mask = (size + kDropoutRun - 1) / kDropoutRun * kDropoutMaskBytes;
    const DropoutDraw draw = dropout_draw(rate_, pass.context().seed);
    const int first_sample = pass.geometry().first_sample;
    Buffer& kept = pass.scratch({.bytes = mask, .is_fixed = false});
    pass.forward({.what = "dropout",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&kept, &pass.dst()},
                  .run = [=, this, &kept, &src = pass.src(), &dst = pass.dst(),
                          shards = pass.shards()](const StepContext& context, std::size_t i) {
                      for (int n = 0; n < shards[i].count; ++n) {
                          const auto at = static_cast<std::size_t>(n);
                          dropout_forward(draw_of_sample(draw, index_, context.step,
                                                         first_sample + shards[i].first + n),
                                          src.of_shard(i) + at * size, dst.of_shard(i) + at * size,
                                          kept.of_shard<std::uint8_t>(i) + at * mask, size);
                      }
                  }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "dropout",
                   .extent = Extent::shard,
                   .reads = {&kept, &pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .run = [=, &kept, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       for (int n = 0; n < shards[i].count; ++n) {
                           const auto at = static_cast<std::size_t>(n);
                           dropout_backward(kept.of_shard<std::uint8_t>(i) + at * mask, draw.scale,
                                            diff_dst.of_shard(i) + at * size,
                                            diff_src.of_shard(i) + at * size, size);
                       }
                   }});
}

}  // namespace lockstep::trainer
