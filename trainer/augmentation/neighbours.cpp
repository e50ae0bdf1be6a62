#include "trainer/augmentation/neighbours.hpp"

#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/augmentation/neighbours.cpp"
#include <hwy/foreach_target.h>
// after foreach_target.h
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Far outside is as good as further out, and fits an int.
constexpr double kFarthest = 1e6;

HWY_ATTR void FindNeighbours(double of_row, double slope, double start, std::span<int> first,
                             std::span<float> weight) {
    const hn::CappedTag<double, kNeighbours> d;
    const hn::Rebind<std::int32_t, decltype(d)> whole;
    const hn::Rebind<float, decltype(d)> single;
    for (std::size_t x = 0; x < first.size(); x += hn::Lanes(d)) {
        const auto at =
            hn::Add(hn::Add(hn::Set(d, of_row),
                            hn::Mul(hn::Set(d, slope), hn::Iota(d, static_cast<double>(x)))),
                    hn::Set(d, start));
        const auto place = hn::Min(hn::Max(at, hn::Set(d, -kFarthest)), hn::Set(d, kFarthest));
        const auto below = hn::DemoteTo(whole, hn::Floor(place));
        hn::StoreU(below, whole, first.data() + x);
        hn::StoreU(hn::DemoteTo(single, hn::Sub(place, hn::PromoteTo(d, below))), single,
                   weight.data() + x);
    }
}

}  // namespace lockstep::trainer::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(FindNeighbours);

void find_neighbours(double of_row, double slope, double start, std::span<int> first,
                     std::span<float> weight) {
    HWY_DYNAMIC_DISPATCH(FindNeighbours)(of_row, slope, start, first, weight);
}

}  // namespace lockstep::trainer
#endif
