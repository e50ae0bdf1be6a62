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

// One chain of windows: some rows of one block of channels.
struct GradientChain {
    const float* pairs;     // pair_rows(), from the first window's first tap on
    std::size_t pairs_row;  // floats from a window to the one below
    const std::ptrdiff_t* tap_places;
    const float* diff_dst;      // [rows, columns, lanes]
    const PooledPlace* places;  // as diff_dst
    int rows, columns;
    float* diff_weights;  // [taps, lanes]
    float* diff_bias;     // [lanes]
    bool adds;            // to what both hold
};

// [0] is the bias's, [1 + tap] that tap's.
template <int kTaps>
using Sums = V[1 + kTaps];

template <int kTaps>
HWY_INLINE HWY_ATTR void clear_sums(Sums<kTaps>& sum) {
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i) sum[i] = hn::Zero(D());
}

template <int kTaps>
HWY_INLINE HWY_ATTR void store_sums(const GradientChain& c, const Sums<kTaps>& sum) {
    const D d;
    const std::size_t lanes = hn::Lanes(d);
#pragma GCC unroll 28
    for (int i = 0; i <= kTaps; ++i) {
        float* to = i == 0 ? c.diff_bias : c.diff_weights + size(i - 1) * lanes;
        hn::Store(c.adds ? hn::Add(hn::Load(d, to), sum[i]) : sum[i], d, to);
    }
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
HWY_ATTR void add_chain(const GradientChain& c) {
    const D d;
    const hn::RebindToSigned<D> di;
    const hn::Rebind<PooledPlace, D> d_place;
    const std::size_t lanes = hn::Lanes(d);
    Sums<kTaps> sum;
    clear_sums<kTaps>(sum);
    const float* HWY_RESTRICT diff_dst = c.diff_dst;
    const PooledPlace* HWY_RESTRICT places = c.places;
    for (int y = 0; y < c.rows; ++y) {
        const float* HWY_RESTRICT pairs = c.pairs + size(y) * c.pairs_row;
        for (int x = 0; x < c.columns; ++x, pairs += 4, diff_dst += lanes, places += lanes) {
            const auto place = hn::PromoteTo(di, hn::LoadU(d_place, places));
            const auto is_passed = hn::RebindMask(d, hn::Gt(place, hn::Set(di, 3)));
            const V gradient = hn::IfThenElseZero(is_passed, hn::Load(d, diff_dst));
            const auto pixels = lanes_of(hn::And(place, hn::Set(di, 3)));
            sum[0] = hn::Add(sum[0], gradient);
#pragma GCC unroll 28
            for (int tap = 0; tap < kTaps; ++tap) {
                const V pixel = pick(pairs + 2 * c.tap_places[tap], pixels);
                sum[1 + tap] = hn::MulAdd(pixel, gradient, sum[1 + tap]);
            }
        }
    }
    store_sums<kTaps>(c, sum);
}

using AddChain = void (*)(const GradientChain&);

template <int... kTaps>
constexpr std::array<AddChain, sizeof...(kTaps)> chain_kernels(
    std::integer_sequence<int, kTaps...>) {
    return {&add_chain<kTaps + 1>...};
}
inline constexpr auto kChainKernels = chain_kernels(std::make_integer_sequence<int, kMaxTaps>());

// A chain with all its taps, in groups of nearly equal size. Each computes the sum of the bias; the
// last one's stays. (It is the same sum.)
HWY_ATTR inline void add_taps(GradientChain c, int taps) {
    const std::size_t lanes = hn::Lanes(D());
    HWY_ALIGN float unused[HWY_MAX_BYTES / sizeof(float)] = {};
    float* const diff_bias = c.diff_bias;
    for (int groups = (taps + kMaxTaps - 1) / kMaxTaps; groups > 0; --groups) {
        const int count = (taps + groups - 1) / groups;
        c.diff_bias = groups == 1 ? diff_bias : unused;
        kChainKernels[size(count - 1)](c);
        taps -= count;
        c.tap_places += count;
        c.diff_weights += size(count) * lanes;
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
