#include "trainer/layers/spatial_dropout.hpp"

#include "trainer/kernels/broadcast.hpp"
#include "trainer/layers/dropout.hpp"

namespace lockstep::trainer {

void SpatialDropout::bind(PassBuilder& pass) const {
    const std::size_t channels = ones_.size();
    const std::size_t mask = (channels + kDropoutRun - 1) / kDropoutRun * kDropoutMaskBytes;
    const DropoutDraw draw = dropout_draw(rate_, pass.context().seed);
    Buffer& kept = pass.scratch({.bytes = mask, .is_fixed = true});  // of one sample
    Buffer& factors = pass.scratch(Buffer::Size::of_samples(channels));
    pass.forward(
        {.what = "spatial dropout",
         .extent = Extent::shard,
         .reads = {&pass.src()},
         .writes = {&pass.dst(), &factors, &kept},
         .run = [=, this, &kept, &factors, &src = pass.src(), &dst = pass.dst(),
                 shards = pass.shards(),
                 first = pass.geometry().first_sample](const StepContext& context, std::size_t i) {
             for (int n = 0; n < shards[i].count; ++n)
                 dropout_forward(
                     draw_of_sample(draw, index_, context.step, first + shards[i].first + n),
                     ones_.data(), factors.of_shard(i) + static_cast<std::size_t>(n) * channels,
                     reinterpret_cast<std::uint8_t*>(kept.data()), channels);
             multiply_by_pixel(this->src(), src.of_shard(i), factors.of_shard(i), dst.of_shard(i),
                               shards[i].count);
         }});
    if (pass.diff_src() == nullptr) return;
    pass.backward(
        {.what = "spatial dropout",
         .extent = Extent::shard,
         .reads = {&factors, &pass.diff_dst()},
         .writes = {pass.diff_src()},
         .may_overwrite = &pass.diff_dst(),
         .run = [this, &factors, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                 shards = pass.shards()](const StepContext&, std::size_t i) {
             multiply_by_pixel(src(), diff_dst.of_shard(i), factors.of_shard(i),
                               diff_src.of_shard(i), shards[i].count);
         }});
}

}  // namespace lockstep::trainer
