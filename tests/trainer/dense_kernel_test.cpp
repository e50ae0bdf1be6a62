// Dense layers of our own against plain loops in double precision, and against themselves with
// other numbers of samples.
#include "trainer/kernels/dense/dense_kernel.hpp"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "tests/trainer/dense_case.hpp"

namespace lockstep::trainer {
namespace {

using tests::DenseCase;
using tests::on_every_target;
using tests::same_bits;
using tests::size;

// The definition. Every value comes with the sum of its terms' sizes: what rounding errors are
// measured by.
struct Sum {
    double value = 0.0, terms = 0.0;
    void add(double term) {
        value += term;
        terms += std::abs(term);
    }
};

struct Direct {
    std::vector<Sum> dst, diff_src, diff_weights, diff_bias;

    explicit Direct(const DenseCase& c)
        : dst(c.dst.size()),
          diff_src(c.src.size()),
          diff_weights(c.keras.size()),
          diff_bias(c.bias.size()) {
        const int features = c.panels().features, units = c.panels().units;
        for (int n = 0; n < c.samples; ++n)
            for (int u = 0; u < units; ++u) {
                const std::size_t out = size(n) * size(units) + size(u);
                const double gradient = c.diff_dst[out];
                dst[out].add(c.bias[size(u)]);
                diff_bias[size(u)].add(gradient);
                for (int f = 0; f < features; ++f) {
                    const std::size_t in = size(n) * size(features) + size(f),
                                      w = size(f) * size(units) + size(u);
                    dst[out].add(double{c.src[in]} * c.keras[w]);
                    diff_src[in].add(gradient * c.keras[w]);
                    diff_weights[w].add(gradient * c.src[in]);
                }
            }
    }
};

// A chain of up to some thousand terms in float32: its errors add up like a random walk.
double allowed(const Sum& sum) { return 1e-6 * sum.terms + 1e-12; }

void check_near(const char* what, std::span<const float> found, const std::vector<Sum>& expected) {
    INFO(what);
    REQUIRE(found.size() == expected.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!(std::abs(double{found[i]} - expected[i].value) <= allowed(expected[i]))) ++wrong;
    CHECK(wrong == 0);
}

// Weights or their gradient as Keras has them; padding has to be zero.
std::vector<float> in_keras_order(const DensePanels& panels, const AlignedArray<float>& weights) {
    std::vector<float> keras;
    AlignedArray<float> rest(weights.size());
    std::copy_n(weights.data(), weights.size(), rest.data());
    for (int f = 0; f < panels.features; ++f)
        for (int u = 0; u < panels.units; ++u)
            keras.push_back(std::exchange(rest[panels.place(f, u)], 0.0F));
    CHECK(std::ranges::all_of(rest.span(), [](float value) { return value == 0.0F; }));
    return keras;
}

void check_case(DenseCase c) {
    CAPTURE(c.panels().features, c.panels().units, c.samples);
    c.compute();
    const Direct direct(c);
    check_near("dst", c.dst.span(), direct.dst);
    check_near("diff_src", c.diff_src.span(), direct.diff_src);
    check_near("diff_weights", in_keras_order(c.panels(), c.diff_weights), direct.diff_weights);
    check_near("diff_bias", c.diff_bias.span(), direct.diff_bias);
}

constexpr int kUnits[] = {1, 3, 10, 15, 16, 17, 31, 32, 33, 500};
constexpr int kFeatures[] = {1, 16, 33, 1024};

TEST_CASE("dense kernels: all directions are the definition, on every instruction set",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const int features : kFeatures)
            for (const int units : kUnits)
                for (const int samples : {1, 7, 16})
                    check_case(DenseCase(features, units, samples));
    });
}

TEST_CASE("dense kernels: features and samples around what is taken at once", "[trainer][kernel]") {
    on_every_target([] {
        for (int features = 1; features <= 9; ++features)  // tiles of dot products and rests
            check_case(DenseCase(features, 32, 13));
        check_case(DenseCase(kFeaturesAtOnce + 1, 5, 3));
        check_case(DenseCase(2 * kFeaturesAtOnce, 18, 20));
        check_case(DenseCase(19, 35, 130));
    });
}

TEST_CASE("dense kernels: a sample's bits do not depend on the samples beside it",
          "[trainer][kernel]") {
    on_every_target([] {
        for (const auto& [features, units] : {std::pair{1024, 500},
                                              {kFeaturesAtOnce + 7, 33},
                                              {37, 10},
                                              {512, 3},
                                              {6, 31},
                                              {3, 40},
                                              {1, 1}}) {
            DenseCase whole(features, units, 67);
            whole.compute(true);
            for (int samples = 1; samples <= 33; ++samples) {
                CAPTURE(features, units, samples);
                DenseCase part(features, units, samples);
                part.compute(true);
                CHECK(same_bits(part.dst.span(), whole.dst.span().first(part.dst.size())));
                CHECK(same_bits(part.diff_src.span(),
                                whole.diff_src.span().first(part.diff_src.size())));
            }
        }
    });
}

TEST_CASE("dense kernels: ReLU is the maximum with zero, and its gradient is cut where dst is",
          "[trainer][kernel]") {
    on_every_target([] {
        DenseCase plain(40, 37, 9), relu(40, 37, 9);
        plain.compute(false);
        relu.compute(true);
        int cut = 0;
        for (int n = 0; n < relu.samples; ++n)
            for (std::size_t u = 0; u < relu.panels().diff_step(); ++u) {
                const bool is_unit = u < 37;
                const std::size_t i = size(n) * 37 + u;
                const bool is_kept = is_unit && plain.dst[i] > 0.0F;
                if (is_unit) REQUIRE(relu.dst[i] == std::max(plain.dst[i], 0.0F));
                REQUIRE(relu.diff[size(n) * relu.panels().diff_step() + u] ==
                        (is_kept ? relu.diff_dst[i] : 0.0F));
                cut += is_unit && !is_kept ? 1 : 0;
            }
        CHECK(cut > 0);
    });
}

TEST_CASE("dense kernels: nothing is read or written beyond the arrays", "[trainer][kernel]") {
    on_every_target([] {
        for (const int units : {1, 3, 17, 33, 50}) {
            CAPTURE(units);
            DenseCase exact(21, units, 3), larger(21, units, 4);
            exact.compute();
            // Behind the third sample stands what no result may take up.
            for (auto* array : {&larger.src, &larger.diff_dst})
                std::ranges::fill(array->span().last(array->size() / 4), std::nanf(""));
            larger.samples = 3;
            larger.compute();
            CHECK(same_bits(exact.dst.span(), larger.dst.span().first(exact.dst.size())));
            CHECK(same_bits(exact.diff_weights.span(), larger.diff_weights.span()));
            for (const auto* array : {&larger.dst, &larger.diff_src})
                CHECK(std::ranges::all_of(array->span().last(array->size() / 4),
                                          [](float value) { return std::isnan(value); }));
        }
    });
}

TEST_CASE("dense kernels: a layer without features or units is refused", "[trainer][kernel]") {
    CHECK_THROWS_AS(DenseKernel(0, 1), std::invalid_argument);
    CHECK_THROWS_AS(DenseKernel(1, 0), std::invalid_argument);
}

}  // namespace
}  // namespace lockstep::trainer
