// Which elements a dropout keeps, drawn by vectors. Included once for each instruction set, inside
// of a file that <hwy/foreach_target.h> includes again and again, hence no #pragma once.

#if defined(LOCKSTEP_DROPOUT_DRAW) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_DROPOUT_DRAW
#undef LOCKSTEP_DROPOUT_DRAW
#else
#define LOCKSTEP_DROPOUT_DRAW
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "trainer/determinism/random.hpp"
#include "trainer/kernels/elementwise.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

inline constexpr std::size_t kRunsAtOnce = 1;

// Which of 128 elements are kept, as bytes 0 or 1: 16 counters of 8 draws each.
template <std::size_t kRuns>
void draw_runs(const DropoutDraw& draw, std::uint32_t run, std::uint8_t* kept) {
    for (std::uint32_t i = 0; i < 16; ++i) {
        const RandomWords words = random_words(
            draw.key, {draw.counter[0], draw.counter[1], draw.counter[2], run * 16 + i});
        for (std::size_t w = 0; w < 4; ++w) {
            kept[2 * w * 16 + i] = (words[w] & 0xFFFFU) >= draw.threshold ? 1 : 0;
            kept[(2 * w + 1) * 16 + i] = words[w] >> 16 >= draw.threshold ? 1 : 0;
        }
    }
}

#else

// Runs that are drawn together: one is two chains of multiplications, which leave a core waiting.
inline constexpr std::size_t kRunsAtOnce = 2;

// Philox4x32-10 on counters that differ in the last word, which comes as words[chain][3]. A word is
// the lower half of a lane of 64 bits; what stands in its upper half does not count. So a product's
// lower word is the product as it is, and its upper one is a shift away.
template <std::size_t kChains, class D>
HWY_ATTR HWY_INLINE void philox(D d, const DropoutDraw& draw, hn::Vec<D> (&words)[kChains][4]) {
    using V = hn::Vec<D>;
    const hn::Repartition<std::uint32_t, D> d_word;
    const auto multiply = [&](V a, V b) HWY_ATTR {
        return hn::MulEven(hn::BitCast(d_word, a), hn::BitCast(d_word, b));
    };
    const V m0 = hn::Set(d, 0xD2511F53U), m1 = hn::Set(d, 0xCD9E8D57U);
    for (auto& c : words)
        for (std::size_t w = 0; w < 3; ++w) c[w] = hn::Set(d, draw.counter[w]);
    V key0 = hn::Set(d, draw.key.seed_low), key1 = hn::Set(d, draw.key.seed_high);
    for (int round = 0; round < 10; ++round) {
#pragma GCC unroll 8
        for (auto& c : words) {
            const V product0 = multiply(c[0], m0), product1 = multiply(c[2], m1);
            c[0] = hn::Xor3(hn::ShiftRight<32>(product1), c[1], key0);
            c[1] = product1;
            c[2] = hn::Xor3(hn::ShiftRight<32>(product0), c[3], key1);
            c[3] = product0;
        }
        key0 = hn::Add(key0, hn::Set(d, 0x9E3779B9U));
        key1 = hn::Add(key1, hn::Set(d, 0xBB67AE85U));
    }
}

// Of a vector of counters' words: which draws are kept. Even counters and odd ones come apart. Draw
// k stands in kept[16 k].
template <class Wide>
HWY_ATTR HWY_INLINE void store_kept(Wide, const hn::Vec<Wide> even[4], const hn::Vec<Wide> odd[4],
                                    std::uint32_t threshold, std::uint8_t* kept) {
    const hn::Repartition<std::int32_t, Wide> di;
    const hn::Repartition<std::uint32_t, Wide> du;
    const hn::Rebind<std::uint8_t, decltype(di)> du8;
    const auto limit = hn::Set(di, static_cast<std::int32_t>(threshold));
    for (std::size_t w = 0; w < 4; ++w) {
        const auto word =
            hn::OddEven(hn::BitCast(di, hn::ShiftLeft<32>(odd[w])), hn::BitCast(di, even[w]));
        const auto low = hn::And(word, hn::Set(di, 0xFFFF));
        const auto high = hn::BitCast(di, hn::ShiftRight<16>(hn::BitCast(du, word)));
        const auto store = [&](hn::Vec<decltype(di)> draws, std::uint8_t* to) HWY_ATTR {
            const auto is_kept = hn::IfThenZeroElse(hn::Lt(draws, limit), hn::Set(di, 1));
            hn::StoreU(hn::DemoteTo(du8, is_kept), du8, to);
        };
        store(low, kept + 2 * w * 16);
        store(high, kept + (2 * w + 1) * 16);
    }
}

// Which of kRuns times 128 elements are kept, as bytes 0 or 1: 16 counters of 8 draws a run.
template <std::size_t kRuns>
HWY_ATTR void draw_runs(const DropoutDraw& draw, std::uint32_t run, std::uint8_t* kept) {
    const hn::CappedTag<std::uint32_t, 16> d;
    const hn::RepartitionToWide<decltype(d)> wide;
    for (std::uint32_t lane = 0; lane < 16; lane += static_cast<std::uint32_t>(hn::Lanes(d))) {
        hn::Vec<decltype(wide)> words[2 * kRuns][4];
        for (std::uint32_t r = 0; r < kRuns; ++r) {
            const auto counters = hn::BitCast(wide, hn::Iota(d, (run + r) * 16 + lane));
            words[2 * r][3] = counters;
            words[2 * r + 1][3] = hn::ShiftRight<32>(counters);
        }
        philox(wide, draw, words);
        for (std::size_t r = 0; r < kRuns; ++r)
            store_kept(wide, words[2 * r], words[2 * r + 1], draw.threshold,
                       kept + r * kDropoutRun + lane);
    }
}

#endif

// Which of a sample's elements are kept, as `count` bytes 0 or 1.
HWY_ATTR inline void draw_elements(const DropoutDraw& draw, std::size_t count, std::uint8_t* kept) {
    constexpr std::size_t kTogether = kRunsAtOnce * kDropoutRun;
    std::size_t i = 0;
    const auto run = [&] { return static_cast<std::uint32_t>(i / kDropoutRun); };
    for (; i + kTogether <= count; i += kTogether) draw_runs<kRunsAtOnce>(draw, run(), kept + i);
    for (; i < count; i += kDropoutRun) {
        std::uint8_t last[kDropoutRun];
        draw_runs<1>(draw, run(), last);
        std::memcpy(kept + i, last, std::min(kDropoutRun, count - i));
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
