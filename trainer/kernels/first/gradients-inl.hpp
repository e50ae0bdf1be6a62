// Sums of the first convolution's weight gradient, in registers. Included once for each instruction
// set, as planes-inl.hpp.

#if defined(LOCKSTEP_FIRST_GRADIENTS) == defined(HWY_TARGET_TOGGLE)
#ifdef LOCKSTEP_FIRST_GRADIENTS
#undef LOCKSTEP_FIRST_GRADIENTS
#else
#define LOCKSTEP_FIRST_GRADIENTS
#endif

#include <hwy/highway.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "trainer/kernels/first/planes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Taps whose sums fit the registers beside the bias's and their operands: of one block of channels,
// and of two at once, which share what they broadcast.
inline constexpr int kMaxTaps = HWY_MAX_BYTES >= 64 ? 27 : 9;
inline constexpr int kMaxTapsOfTwo = 12;  // with AVX-512 only

// One chain of pixels: some rows of one or two blocks of channels.
struct GradientChain {
    const float* src;      // the first pixel of the first window; or pairs of pixels (pair_rows)
    std::size_t src_row;   // floats from a window to the one below
    std::size_t src_step;  // and to the one on its right
    const std::ptrdiff_t* tap_places;
    const float* diff_dst;      // [blocks][.., rows, columns, lanes]
    const float* relu_dst;      // as diff_dst, or null
    const PooledPlace* places;  // as diff_dst; pooled only
    std::size_t dst_block;      // floats between two blocks of diff_dst
    int rows, columns;
    float* diff_weights;        // [blocks][.., taps, lanes]
    float* diff_bias;           // [blocks][lanes]
    std::size_t weights_block;  // floats between two blocks of diff_weights
    bool adds;                  // to what both hold
};

// [0] is the bias's, [1 + tap] that tap's.
template <int kTaps, int kBlocks>
using Sums = V[1 + kTaps][kBlocks];

template <int kTaps, int kBlocks>
HWY_INLINE HWY_ATTR void clear_sums(Sums<kTaps, kBlocks>& sum) {
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i)
#pragma GCC unroll 2
        for (int b = 0; b < kBlocks; ++b) sum[i][b] = hn::Zero(D());
}

template <int kTaps, int kBlocks>
HWY_INLINE HWY_ATTR void store_sums(const GradientChain& c, const Sums<kTaps, kBlocks>& sum) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i)
#pragma GCC unroll 2
        for (int b = 0; b < kBlocks; ++b) {
            float* to = i == 0 ? c.diff_bias + size(b) * lanes
                               : c.diff_weights + size(b) * c.weights_block + size(i - 1) * lanes;
            hn::Store(c.adds ? hn::Add(hn::Load(d, to), sum[i][b]) : sum[i][b], d, to);
        }
}

// kPixels neighbours at once share the look-ups of places; each sum takes them in their order.
// from: floats in front of them in diff_dst.
template <int kTaps, int kBlocks, int kPixels, bool kIsDense>
HWY_INLINE HWY_ATTR void add_pixels(const GradientChain& c, const float* HWY_RESTRICT src,
                                    std::size_t from, Sums<kTaps, kBlocks>& sum) {
    const D d;
    const std::size_t lanes = hn::Lanes(d), step = kIsDense ? 1 : c.src_step;
    V gradient[kPixels][kBlocks];
#pragma GCC unroll 2
    for (int i = 0; i < kPixels; ++i)
#pragma GCC unroll 2
        for (int b = 0; b < kBlocks; ++b) {
            const std::size_t at = from + size(i) * lanes + size(b) * c.dst_block;
            gradient[i][b] = hn::Load(d, c.diff_dst + at);
            if (c.relu_dst != nullptr)
                gradient[i][b] = hn::IfThenElseZero(
                    hn::Gt(hn::Load(d, c.relu_dst + at), hn::Zero(d)), gradient[i][b]);
            sum[0][b] = hn::Add(sum[0][b], gradient[i][b]);
        }
#pragma GCC unroll 28
    for (int tap = 0; tap < kTaps; ++tap) {
        const float* at = src + c.tap_places[tap];
#pragma GCC unroll 2
        for (int i = 0; i < kPixels; ++i) {
            const V pixel = hn::Set(d, at[size(i) * step]);
#pragma GCC unroll 2
            for (int b = 0; b < kBlocks; ++b)
                sum[1 + tap][b] = hn::MulAdd(pixel, gradient[i][b], sum[1 + tap][b]);
        }
    }
}

template <int kTaps, int kBlocks, bool kIsDense>
HWY_ATTR void add_chain(const GradientChain& chain) {
    const GradientChain c = chain;
    const std::size_t lanes = hn::Lanes(D());
    Sums<kTaps, kBlocks> sum;
    clear_sums<kTaps, kBlocks>(sum);
    std::size_t from = 0;
    for (int y = 0; y < c.rows; ++y) {
        const float* src = c.src + size(y) * c.src_row;
        int x = 0;
        for (; x + 2 <= c.columns; x += 2, src += 2 * c.src_step, from += 2 * lanes)
            add_pixels<kTaps, kBlocks, 2, kIsDense>(c, src, from, sum);
        if (x < c.columns) {
            add_pixels<kTaps, kBlocks, 1, kIsDense>(c, src, from, sum);
            from += lanes;
        }
    }
    store_sums<kTaps, kBlocks>(c, sum);
}

// place: each lane's, 0 to 3. pick(window, lanes_of(place)) takes one of the four floats from
// `window` on for each lane.
#if HWY_TARGET == HWY_SCALAR  // whose vector is shorter than a window
template <class Place>
HWY_INLINE HWY_ATTR std::int32_t lanes_of(Place place) {
    return hn::GetLane(place);
}
HWY_INLINE HWY_ATTR V pick(const float* window, std::int32_t lane) {
    return hn::Set(D(), window[lane]);
}
#else
template <class Place>
HWY_INLINE HWY_ATTR auto lanes_of(Place place) {
    return hn::IndicesFromVec(D(), place);
}
template <class Lanes>
HWY_INLINE HWY_ATTR V pick(const float* window, Lanes lanes) {
    return hn::TableLookupLanes(hn::LoadDup128(D(), window), lanes);
}
#endif

template <int kTaps>
HWY_ATTR void add_pooled_chain(const GradientChain& c) {
    const D d;
    const hn::RebindToSigned<D> di;
    const hn::Rebind<PooledPlace, D> d_place;
    const std::size_t lanes = hn::Lanes(d);
    Sums<kTaps, 1> sum;
    clear_sums<kTaps, 1>(sum);
    const float* HWY_RESTRICT diff_dst = c.diff_dst;
    const PooledPlace* HWY_RESTRICT places = c.places;
    for (int y = 0; y < c.rows; ++y) {
        const float* HWY_RESTRICT src = c.src + size(y) * c.src_row;
        for (int x = 0; x < c.columns; ++x, src += c.src_step, diff_dst += lanes, places += lanes) {
            const auto place = hn::PromoteTo(di, hn::LoadU(d_place, places));
            const auto is_passed = hn::RebindMask(d, hn::Gt(place, hn::Set(di, 3)));
            const V gradient = hn::IfThenElseZero(is_passed, hn::Load(d, diff_dst));
            const auto pixels = lanes_of(hn::And(place, hn::Set(di, 3)));
            sum[0][0] = hn::Add(sum[0][0], gradient);
#pragma GCC unroll 28
            for (int tap = 0; tap < kTaps; ++tap) {
                const V pixel = pick(src + 2 * c.tap_places[tap], pixels);
                sum[1 + tap][0] = hn::MulAdd(pixel, gradient, sum[1 + tap][0]);
            }
        }
    }
    store_sums<kTaps, 1>(c, sum);
}

using AddChain = void (*)(const GradientChain&);

enum class ChainKind { dense, strided, pooled };  // dense: src_step = 1

template <ChainKind kKind, int kBlocks, int... kTaps>
constexpr std::array<AddChain, sizeof...(kTaps)> gradient_kernels(
    std::integer_sequence<int, kTaps...>) {
    if constexpr (kKind == ChainKind::pooled)
        return {&add_pooled_chain<kTaps + 1>...};
    else
        return {&add_chain<kTaps + 1, kBlocks, kKind == ChainKind::dense>...};
}
template <ChainKind kKind, int kBlocks>
inline constexpr auto kGradientKernels = gradient_kernels<kKind, kBlocks>(
    std::make_integer_sequence<int, kBlocks == 2 ? kMaxTapsOfTwo : kMaxTaps>());

// A chain with all its taps, in groups of nearly equal size. Each computes the sum of the bias; the
// last one's stays. (It is the same sum.)
template <std::size_t kCount>
HWY_ATTR void add_taps(const std::array<AddChain, kCount>& kernels, GradientChain c, int taps) {
    constexpr int kMost = static_cast<int>(kCount);
    const std::size_t lanes = hn::Lanes(D());
    HWY_ALIGN float unused[2 * HWY_MAX_BYTES / sizeof(float)] = {};
    float* const diff_bias = c.diff_bias;
    for (int groups = (taps + kMost - 1) / kMost; groups > 0; --groups) {
        const int count = (taps + groups - 1) / groups;
        c.diff_bias = groups == 1 ? diff_bias : unused;
        kernels[size(count - 1)](c);
        taps -= count;
        c.tap_places += count;
        c.diff_weights += size(count) * lanes;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
