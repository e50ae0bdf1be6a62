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

// Taps whose sums fit the registers beside the bias's and their operands.
inline constexpr int kMaxTaps = HWY_MAX_BYTES >= 64 ? 27 : 9;

// One chain of pixels: some rows of one block of channels.
struct GradientChain {
    const float* src;      // the first pixel of the first window; or pairs of pixels (pair_rows)
    std::size_t src_row;   // floats from a window to the one below
    std::size_t src_step;  // and to the one on its right
    const std::ptrdiff_t* tap_places;
    const float* diff_dst;      // [rows][columns][lanes]
    const float* relu_dst;      // as diff_dst, or null
    const PooledPlace* places;  // as diff_dst; pooled only
    int rows, columns;
    float* diff_weights;  // [taps][lanes]
    float* diff_bias;     // [lanes]
    bool adds;            // to what both hold
};

// sum[0] is the bias's, sum[1 + tap] that tap's.
template <int kTaps>
HWY_INLINE HWY_ATTR void store_sums(const GradientChain& c, const V (&sum)[1 + kTaps]) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i) {
        float* to = i == 0 ? c.diff_bias : c.diff_weights + size(i - 1) * lanes;
        hn::Store(c.adds ? hn::Add(hn::Load(d, to), sum[i]) : sum[i], d, to);
    }
}

// kPixels neighbours at once share the look-ups of places; each sum takes them in their order.
template <int kTaps, int kPixels>
HWY_INLINE HWY_ATTR void add_pixels(const GradientChain& c, const float* HWY_RESTRICT src,
                                    const float* HWY_RESTRICT diff_dst,
                                    const float* HWY_RESTRICT relu_dst, V (&sum)[1 + kTaps]) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    V gradient[kPixels];
#pragma GCC unroll 4
    for (int i = 0; i < kPixels; ++i) {
        gradient[i] = hn::Load(d, diff_dst + size(i) * lanes);
        if (relu_dst != nullptr)
            gradient[i] = hn::IfThenElseZero(
                hn::Gt(hn::Load(d, relu_dst + size(i) * lanes), hn::Zero(d)), gradient[i]);
        sum[0] = hn::Add(sum[0], gradient[i]);
    }
#pragma GCC unroll 28
    for (int tap = 0; tap < kTaps; ++tap) {
        const float* at = src + c.tap_places[tap];
#pragma GCC unroll 4
        for (int i = 0; i < kPixels; ++i)
            sum[1 + tap] =
                hn::MulAdd(hn::Set(d, at[size(i) * c.src_step]), gradient[i], sum[1 + tap]);
    }
}

template <int kTaps>
HWY_ATTR void add_chain(const GradientChain& c) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
    V sum[1 + kTaps];
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i) sum[i] = hn::Zero(d);
    const float* diff_dst = c.diff_dst;
    const float* relu_dst = c.relu_dst;
    for (int y = 0; y < c.rows; ++y) {
        const float* src = c.src + size(y) * c.src_row;
        const auto add = [&](auto pixels) HWY_ATTR {
            constexpr int kPixels = decltype(pixels)::value;
            add_pixels<kTaps, kPixels>(c, src, diff_dst, relu_dst, sum);
            src += size(kPixels) * c.src_step;
            diff_dst += size(kPixels) * lanes;
            if (relu_dst != nullptr) relu_dst += size(kPixels) * lanes;
        };
        int x = 0;
        for (; x + 2 <= c.columns; x += 2) add(std::integral_constant<int, 2>());
        if (x < c.columns) add(std::integral_constant<int, 1>());
    }
    store_sums<kTaps>(c, sum);
}

// Bytes of four floats to take a window's pixel from, column by column: 8 x column + 4 x row.
HWY_INLINE HWY_ATTR auto shuffle_of(hn::Vec<hn::RebindToSigned<D>> place) {
    const hn::RebindToSigned<D> di;
    const auto column = hn::And(place, hn::Set(di, 1));
    const auto row = hn::And(place, hn::Set(di, 2));
    const auto first = hn::Add(hn::ShiftLeft<3>(column), hn::ShiftLeft<1>(row));
    return hn::Add(hn::Mul(first, hn::Set(di, 0x01010101)), hn::Set(di, 0x03020100));
}

template <int kTaps>
HWY_ATTR void add_pooled_chain(const GradientChain& c) {
    const D d;
    const hn::RebindToSigned<D> di;
    const hn::Rebind<PooledPlace, D> d_place;
    const std::size_t lanes = hn::Lanes(d);
    V sum[1 + kTaps];
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i) sum[i] = hn::Zero(d);
    const float* HWY_RESTRICT diff_dst = c.diff_dst;
    const PooledPlace* HWY_RESTRICT places = c.places;
    for (int y = 0; y < c.rows; ++y) {
        const float* HWY_RESTRICT src = c.src + size(y) * c.src_row;
        for (int x = 0; x < c.columns; ++x, src += c.src_step, diff_dst += lanes, places += lanes) {
            const auto place = hn::PromoteTo(di, hn::LoadU(d_place, places));
            const auto is_passed = hn::RebindMask(d, hn::Gt(place, hn::Set(di, 3)));
            const V gradient = hn::IfThenElseZero(is_passed, hn::Load(d, diff_dst));
            const auto shuffle = shuffle_of(place);
            sum[0] = hn::Add(sum[0], gradient);
#pragma GCC unroll 28
            for (int tap = 0; tap < kTaps; ++tap) {
                const auto window = hn::BitCast(di, hn::LoadDup128(d, src + 2 * c.tap_places[tap]));
                const V pixel = hn::BitCast(d, hn::TableLookupBytes(window, shuffle));
                sum[1 + tap] = hn::MulAdd(pixel, gradient, sum[1 + tap]);
            }
        }
    }
    store_sums<kTaps>(c, sum);
}

using AddChain = void (*)(const GradientChain&);

template <bool kIsPooled, int... kTaps>
constexpr std::array<AddChain, sizeof...(kTaps)> gradient_kernels(
    std::integer_sequence<int, kTaps...>) {
    if constexpr (kIsPooled)
        return {&add_pooled_chain<kTaps + 1>...};
    else
        return {&add_chain<kTaps + 1>...};
}
template <bool kIsPooled>
inline constexpr auto kGradientKernels =
    gradient_kernels<kIsPooled>(std::make_integer_sequence<int, kMaxTaps>());

// A chain with all its taps, in groups of nearly equal size. Each computes the sum of the bias; the
// last one's stays. (It is the same sum.)
template <bool kIsPooled>
HWY_ATTR void add_taps(GradientChain c, int taps) {
    const std::size_t lanes = hn::Lanes(D());
    HWY_ALIGN float unused[HWY_MAX_BYTES / sizeof(float)] = {};
    float* const diff_bias = c.diff_bias;
    for (int groups = (taps + kMaxTaps - 1) / kMaxTaps; groups > 0; --groups) {
        const int count = (taps + groups - 1) / groups;
        c.diff_bias = groups == 1 ? diff_bias : unused;
        kGradientKernels<kIsPooled>[size(count - 1)](c);
        taps -= count;
        c.tap_places += count;
        c.diff_weights += size(count) * lanes;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
