#include "trainer/layers/zero_padding.hpp"

#include <algorithm>

namespace lockstep::trainer {

template <class Copy>
void ZeroPadding::for_each_row(int samples, Copy copy) const {
    const auto floats = [this](int pixels) {
        return static_cast<std::size_t>(pixels) * static_cast<std::size_t>(src().block);
    };
    const std::size_t row = floats(src().width), dst_row = floats(dst().width);
    const std::size_t first =
        static_cast<std::size_t>(config_.vertical[0]) * dst_row + floats(config_.horizontal[0]);
    for (int plane = 0; plane < samples * src().channel_blocks(); ++plane)
        for (int y = 0; y < src().height; ++y) {
            const auto rows = static_cast<std::size_t>(plane) * floats(src().pixels());
            const auto dst_rows = static_cast<std::size_t>(plane) * floats(dst().pixels());
            const auto number = static_cast<std::size_t>(y);
            copy(rows + number * row, dst_rows + number * dst_row + first, row);
        }
}

void ZeroPadding::bind(PassBuilder& pass) const {
    pass.forward({.what = "zero padding",
                  .extent = Extent::shard,
                  .reads = {&pass.src()},
                  .writes = {&pass.dst()},
                  .run = [this, &src = pass.src(), &dst = pass.dst(), shards = pass.shards()](
                             const StepContext&, std::size_t i) {
                      const float* from = src.of_shard(i);
                      float* to = dst.of_shard(i);
                      std::fill_n(
                          to, static_cast<std::size_t>(shards[i].count) * this->dst().sample_size(),
                          0.0F);
                      for_each_row(shards[i].count,
                                   [&](std::size_t row, std::size_t place, std::size_t floats) {
                                       std::copy_n(from + row, floats, to + place);
                                   });
                  }});
    if (pass.diff_src() == nullptr) return;
    pass.backward({.what = "zero padding",
                   .extent = Extent::shard,
                   .reads = {&pass.diff_dst()},
                   .writes = {pass.diff_src()},
                   .run = [this, &diff_dst = pass.diff_dst(), &diff_src = *pass.diff_src(),
                           shards = pass.shards()](const StepContext&, std::size_t i) {
                       const float* from = diff_dst.of_shard(i);
                       float* to = diff_src.of_shard(i);
                       for_each_row(shards[i].count,
                                    [&](std::size_t row, std::size_t place, std::size_t floats) {
                                        std::copy_n(from + place, floats, to + row);
                                    });
                   }});
}

}  // namespace lockstep::trainer
