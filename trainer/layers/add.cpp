#include "trainer/layers/add.hpp"

#include <algorithm>

#include "trainer/kernels/elementwise.hpp"

namespace lockstep::trainer {

void Add::bind(PassBuilder& pass) const {
    std::vector<std::size_t> floats;
    for (const SampleRange& shard : pass.shards())
        floats.push_back(static_cast<std::size_t>(shard.count) * src().sample_size());
    std::vector<Buffer*> sources;
    for (std::size_t i = 0; i < sources_; ++i) sources.push_back(&pass.src(i));
    pass.forward(
        {.what = "add",
         .extent = Extent::shard,
         .reads = sources,
         .writes = {&pass.dst()},
         .run = [sources, floats, &dst = pass.dst()](const StepContext&, std::size_t shard) {
             std::copy_n(sources[0]->of_shard(shard), floats[shard], dst.of_shard(shard));
             for (std::size_t i = 1; i < sources.size(); ++i)
                 add_to(dst.of_shard(shard), sources[i]->of_shard(shard), floats[shard]);
         }});
    for (std::size_t i = 0; i < sources_ && pass.is_training(); ++i) {
        if (pass.diff_src(i) == nullptr) continue;
        pass.backward({.what = "add",
                       .extent = Extent::shard,
                       .reads = {&pass.diff_dst()},
                       .writes = {pass.diff_src(i)},
                       .run = [floats, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(i)](
                                  const StepContext&, std::size_t shard) {
                           std::copy_n(diff_dst.of_shard(shard), floats[shard],
                                       diff_src.of_shard(shard));
                       }});
    }
}

}  // namespace lockstep::trainer
