#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/exchange/sum_in_shard_order.cpp"
#include "trainer/exchange/sum_in_shard_order.hpp"

#include <hwy/foreach_target.h>  // compiles this file once for each instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

// Where a sum begins.
struct FromZero {
    hn::Vec<Floats> vector(std::size_t) const { return hn::Zero(Floats()); }
    float element(std::size_t) const { return 0.0F; }
};
struct FromPartial {
    const float* partial;
    hn::Vec<Floats> vector(std::size_t i) const { return hn::LoadU(Floats(), partial + i); }
    float element(std::size_t i) const { return partial[i]; }
};

// Four vectors at a time: enough independent additions to hide the latency of one.
// Every element is added up alone, so body and tail give the same bits.
template <class Start>
void add_shards(const Start& start, ShardGradients shards, std::size_t first,
                std::span<float> sum) {
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    float* out = sum.data();
    std::size_t i = 0;
    for (; i + 4 * lanes <= sum.size(); i += 4 * lanes) {
        auto sum0 = start.vector(i);
        auto sum1 = start.vector(i + lanes);
        auto sum2 = start.vector(i + 2 * lanes);
        auto sum3 = start.vector(i + 3 * lanes);
        for (const std::span<const float> shard : shards) {
            const float* gradient = shard.data() + first + i;
            sum0 = hn::Add(sum0, hn::LoadU(d, gradient));
            sum1 = hn::Add(sum1, hn::LoadU(d, gradient + lanes));
            sum2 = hn::Add(sum2, hn::LoadU(d, gradient + 2 * lanes));
            sum3 = hn::Add(sum3, hn::LoadU(d, gradient + 3 * lanes));
        }
        hn::StoreU(sum0, d, out + i);
        hn::StoreU(sum1, d, out + i + lanes);
        hn::StoreU(sum2, d, out + i + 2 * lanes);
        hn::StoreU(sum3, d, out + i + 3 * lanes);
    }
    for (; i < sum.size(); ++i) {
        float element = start.element(i);
        for (const std::span<const float> shard : shards) element += shard[first + i];
        out[i] = element;
    }
}

void begin_shards(ShardGradients shards, std::size_t first, std::span<float> sum) {
    add_shards(FromZero{}, shards, first, sum);
}

void continue_shards(const float* partial, ShardGradients shards, std::size_t first,
                     std::span<float> sum) {
    add_shards(FromPartial{partial}, shards, first, sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace lockstep::trainer
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(begin_shards);
HWY_EXPORT(continue_shards);

void sum_in_shard_order(ShardGradients shards, std::span<float> sum) {
    begin_in_shard_order(shards, 0, sum);
}

void begin_in_shard_order(ShardGradients shards, std::size_t first, std::span<float> sum) {
    HWY_DYNAMIC_DISPATCH(begin_shards)(shards, first, sum);
}

void add_in_shard_order(std::span<const float> partial, ShardGradients shards, std::size_t first,
                        std::span<float> sum) {
    HWY_DYNAMIC_DISPATCH(continue_shards)(partial.data(), shards, first, sum);
}

}  // namespace lockstep::trainer
#endif
