// What float32 means to every rank: IEEE 754 with gradual underflow, whatever a library left
// behind.
#include <cfenv>
#include <limits>

#include "tests/support/catch.hpp"
#include "trainer/kernels/compute_engine.hpp"

#ifdef __SSE__
#include <xmmintrin.h>
#endif

using namespace lockstep::trainer;

TEST_CASE("a compute engine sets gradual underflow and rounding to nearest", "[trainer][kernel]") {
    std::fesetround(FE_UPWARD);
#ifdef __SSE__
    constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
    _mm_setcsr(_mm_getcsr() | kFlushToZero | kDenormalsAreZero);
#endif
    const ComputeEngine engine;
    volatile float least_normal = std::numeric_limits<float>::min();
    volatile float half = least_normal * 0.5F;  // FTZ would make it zero
    volatile float whole = half + half;         // DAZ would
    CHECK(half > 0.0F);
    CHECK(whole == least_normal);
    CHECK(std::fegetround() == FE_TONEAREST);
}
