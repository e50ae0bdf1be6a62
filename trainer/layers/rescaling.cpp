#include "trainer/layers/rescaling.hpp"

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

void Rescaling::bind(PassBuilder& pass) const {
    const auto floats = [shards = pass.shards(), size = src().sample_size()](std::size_t i) {
        return static_cast<std::size_t>(shards[i].count) * size;
    };
    pass.forward({.what = "rescaling",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .may_overwrite = &pass.src(),
                  .run = [this, floats, shards = pass.shards(), &src = pass.src(),
                          &dst = pass.dst()](const StepContext&, std::size_t i) {
                      rescale(src.of_shard(i), scale_, offset_, dst.of_shard(i), floats(i));
                      if (offset_ != 0.0F) padding_.clear(dst.of_shard(i), shards[i].count);
                  }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "rescaling",
                   .extent = Extent::shard,
                   .reads = {&pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .may_overwrite = &pass.diff_dst(),
                   .run = [this, floats, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src()](
                              const StepContext&, std::size_t i) {
                       rescale(diff_dst.of_shard(i), scale_, 0.0F, diff_src.of_shard(i), floats(i));
                   }});
}

}  // namespace lockstep::trainer
