#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/exchange/tree_sum.cpp"
#include "trainer/exchange/tree_sum.hpp"

#include <hwy/foreach_target.h>  // compiles this file once for each instruction set
#include <hwy/highway.h>

#include <algorithm>
#include <cassert>

#ifndef LOCKSTEP_TREE_SUM_DEPTH
#define LOCKSTEP_TREE_SUM_DEPTH
namespace lockstep::trainer {
// Sums that wait for their right neighbour: one a level, of a tree over less than 2^31 shards.
inline constexpr std::size_t kMaxWaitingSums = 32;
}  // namespace lockstep::trainer
#endif

HWY_BEFORE_NAMESPACE();
namespace lockstep::trainer {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::ScalableTag<float>;

struct Expression {
    std::span<const float* const> terms;
    const int* additions;
};

// Two terms are what most ranks see: no stack needed.
HWY_ATTR std::size_t add_two(const float* left, const float* right, std::span<float> sum) {
    const Floats d;
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= sum.size(); i += hn::Lanes(d))
        hn::StoreU(hn::Add(hn::LoadU(d, left + i), hn::LoadU(d, right + i)), d, sum.data() + i);
    return i;
}

// Elements i .. i + 4 lanes - 1: enough independent additions to hide the latency of one. The
// topmost sum stays in registers.
HWY_ATTR HWY_INLINE void add_block(const Expression& expression, std::size_t first, float* sum) {
    const Floats d;
    const std::size_t lanes = hn::Lanes(d);
    HWY_ALIGN float waiting[kMaxWaitingSums * 4 * hn::MaxLanes(Floats())];
    float* top = waiting;
    const float* term = expression.terms[0] + first;
    auto sum0 = hn::LoadU(d, term), sum1 = hn::LoadU(d, term + lanes);
    auto sum2 = hn::LoadU(d, term + 2 * lanes), sum3 = hn::LoadU(d, term + 3 * lanes);
    for (std::size_t t = 1; t < expression.terms.size(); ++t) {
        term = expression.terms[t] + first;
        int additions = expression.additions[t];
        if (additions > 0) {  // at once, without a way over the stack
            sum0 = hn::Add(sum0, hn::LoadU(d, term));
            sum1 = hn::Add(sum1, hn::LoadU(d, term + lanes));
            sum2 = hn::Add(sum2, hn::LoadU(d, term + 2 * lanes));
            sum3 = hn::Add(sum3, hn::LoadU(d, term + 3 * lanes));
        } else {
            hn::Store(sum0, d, top);
            hn::Store(sum1, d, top + lanes);
            hn::Store(sum2, d, top + 2 * lanes);
            hn::Store(sum3, d, top + 3 * lanes);
            top += 4 * lanes;
            sum0 = hn::LoadU(d, term);
            sum1 = hn::LoadU(d, term + lanes);
            sum2 = hn::LoadU(d, term + 2 * lanes);
            sum3 = hn::LoadU(d, term + 3 * lanes);
        }
        for (; additions > 1; --additions) {
            top -= 4 * lanes;
            sum0 = hn::Add(hn::Load(d, top), sum0);
            sum1 = hn::Add(hn::Load(d, top + lanes), sum1);
            sum2 = hn::Add(hn::Load(d, top + 2 * lanes), sum2);
            sum3 = hn::Add(hn::Load(d, top + 3 * lanes), sum3);
        }
    }
    hn::StoreU(sum0, d, sum);
    hn::StoreU(sum1, d, sum + lanes);
    hn::StoreU(sum2, d, sum + 2 * lanes);
    hn::StoreU(sum3, d, sum + 3 * lanes);
}

float add_element(const Expression& expression, std::size_t at) {
    float waiting[kMaxWaitingSums];
    float* top = waiting;
    float sum = expression.terms[0][at];
    for (std::size_t t = 1; t < expression.terms.size(); ++t) {
        *top++ = sum;
        sum = expression.terms[t][at];
        for (int k = 0; k < expression.additions[t]; ++k) sum = *--top + sum;
    }
    return sum;
}

HWY_ATTR void add_all(std::span<const float* const> terms, const int* additions, std::size_t first,
                      std::span<float> sum) {
    const Expression expression{terms, additions};
    const std::size_t block = 4 * hn::Lanes(Floats());
    std::size_t i = 0;
    if (terms.size() == 2) i = add_two(terms[0] + first, terms[1] + first, sum);
    for (; i + block <= sum.size(); i += block) add_block(expression, first + i, sum.data() + i);
    for (; i < sum.size(); ++i) sum[i] = add_element(expression, first + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace lockstep::trainer
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace lockstep::trainer {

HWY_EXPORT(add_all);

void add_in_tree_order(std::span<const float* const> terms, std::span<const int> additions,
                       std::size_t first, std::span<float> sum) {
    assert(terms.size() == additions.size());
    if (terms.empty()) {
        std::ranges::fill(sum, 0.0F);
    } else {
        HWY_DYNAMIC_DISPATCH(add_all)(terms, additions.data(), first, sum);
    }
}

}  // namespace lockstep::trainer
#endif
