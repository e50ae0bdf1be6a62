#include "trainer/layers/up_sampling.hpp"

namespace lockstep::trainer {

void UpSampling::bind(PassBuilder& pass) const {
    pass.forward({.what = "upsampling",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [this, &src = pass.src(), &dst = pass.dst(), shards = pass.shards()](
                             const StepContext&, std::size_t i) {
                      kernel_.forward(src.of_shard(i), dst.of_shard(i), shards[i].count);
                  }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "upsampling",
                   .extent = Extent::shard,
                   .reads = {&pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .run = [this, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       kernel_.backward(diff_dst.of_shard(i), diff_src.of_shard(i),
                                        shards[i].count);
                   }});
}

}  // namespace lockstep::trainer
