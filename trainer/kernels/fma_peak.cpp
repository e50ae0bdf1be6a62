#include <algorithm>
#include <chrono>

#include "trainer/kernels/convolution_benchmark.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/kernels/fma_peak.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 12;  // independent: more than latency times units of today's cores

// Flops of `rounds` rounds; `result` keeps the compiler from leaving them out.
HWY_ATTR double Multiply(int rounds, float* result) {
    const hn::ScalableTag<float> d;
    using V = hn::Vec<decltype(d)>;
    V sum[kChains];
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = hn::Set(d, static_cast<float>(i));
    const V factor = hn::Set(d, 0.999F), term = hn::Set(d, 0.001F);
    for (int round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
        for (int i = 0; i < kChains; ++i) sum[i] = hn::MulAdd(sum[i], factor, term);
    }
    V total = hn::Zero(d);
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) total = hn::Add(total, sum[i]);
    *result = hn::GetLane(total);
    return 2.0 * kChains * static_cast<double>(hn::Lanes(d)) * rounds;
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(Multiply);

double measured_fma_peak() {
    using Clock = std::chrono::steady_clock;
    constexpr int kRepeats = 20, kRounds = 100'000;
    double best = 0.0;
    for (int i = 0; i < kRepeats; ++i) {
        volatile float sink = 0.0F;
        float result = 0.0F;
        const auto start = Clock::now();
        const double flops = HWY_DYNAMIC_DISPATCH(Multiply)(kRounds, &result);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        sink = result;
        static_cast<void>(sink);
        best = std::max(best, flops / seconds);
    }
    return best;
}

}  // namespace lockstep::trainer
#endif  // HWY_ONCE
