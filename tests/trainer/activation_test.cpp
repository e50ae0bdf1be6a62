// ReLU, softmax and the loss against their definitions.
#include "trainer/layers/activation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/gradient_check.hpp"
#include "tests/support/layer_check.hpp"
#include "tests/support/random_values.hpp"
#include "trainer/kernels/softmax.hpp"
#include "trainer/network/step_plan.hpp"

using namespace lockstep::trainer;
using namespace lockstep::tests;

namespace {

Values plain_softmax(const Values& x, std::size_t classes) {
    Values p(x.size());
    for (std::size_t row = 0; row < x.size(); row += classes) {
        double sum = 0.0;
        for (std::size_t i = 0; i < classes; ++i) sum += std::exp(x[row + i]);
        for (std::size_t i = 0; i < classes; ++i) p[row + i] = std::exp(x[row + i]) / sum;
    }
    return p;
}

}  // namespace

TEST_CASE("ReLU as a layer, on images and on vectors", "[trainer][layer]") {
    for (const Shape& input :
         {Shape{3, 5, 3, false}, Shape{3, 5, 16, false}, Shape{1, 1, 17, true}}) {
        LayerProbeSetting setting;
        setting.config = {"activation", ActivationConfig{Activation::relu}};
        setting.input = input;
        check_layer(setting);
    }
}

TEST_CASE("softmax as a layer inside a network", "[trainer][layer]") {
    for (const int features : {2, 16, 17}) {
        LayerProbeSetting setting;
        setting.config = {"activation", ActivationConfig{Activation::softmax}};
        setting.input = {1, 1, features, true};
        check_layer(setting);
    }
}

TEST_CASE("ReLU's gradient at zero is zero", "[trainer][layer]") {
    LayerProbeSetting setting;
    setting.config = {"activation", ActivationConfig{Activation::relu}};
    setting.input = {1, 1, 4, true};
    setting.batch = 1;
    const Communicator comm(MPI_COMM_SELF);
    LayerProbe probe(setting, comm);
    CHECK(probe.forward(std::vector<float>{-1, 0, -0.0F, 1}) == std::vector<float>{0, 0, 0, 1});
    CHECK(probe.backward(std::vector<float>{5, 6, 7, 8}) == std::vector<float>{0, 0, 0, 8});
}

TEST_CASE("softmax and its gradient", "[trainer][layer]") {
    constexpr std::size_t kRows = 4;
    RandomValues random(1);
    for (const std::size_t classes : {std::size_t{1}, std::size_t{3}, std::size_t{10}}) {
        const auto x = random.floats(kRows * classes, -5.0, 5.0);
        const auto probing = random.floats(x.size());
        std::vector<float> p = x;
        softmax_forward(p.data(), p.data(), kRows, static_cast<int>(classes));
        check_close("softmax", p, plain_softmax(in_double(x), classes), 1e-6);

        std::vector<float> diff = probing;
        softmax_backward(p.data(), diff.data(), kRows, static_cast<int>(classes));
        if (classes == 1) continue;  // the gradient is zero, and so is the scale
        Values variable = in_double(x);
        const Values weights = in_double(probing);
        const auto probed = [&] {
            const Values y = plain_softmax(variable, classes);
            return std::inner_product(y.begin(), y.end(), weights.begin(), 0.0);
        };
        check_gradient("x", diff, variable, probed, 1e-5);
    }
}

TEST_CASE("softmax of large values neither overflows nor loses its sum", "[trainer][layer]") {
    std::vector<float> p{1e4F, 1e4F, -1e4F};
    softmax_forward(p.data(), p.data(), 1, 3);
    CHECK(p == std::vector<float>{0.5F, 0.5F, 0.0F});
}

TEST_CASE("a network's last softmax is left to the loss, as a layer and within a dense layer",
          "[trainer][layer]") {
    const Communicator comm(MPI_COMM_SELF);
    const LayerConfig linear{"dense", DenseConfig{.units = 3}};
    const std::vector<std::vector<LayerConfig>> networks = {
        {linear},
        {{"dense", DenseConfig{.units = 3, .activation = Activation::softmax}}},
        {linear, {"activation", ActivationConfig{Activation::softmax}}},
        {linear, {"activation", ActivationConfig{Activation::linear}}}};
    RandomValues random(2);
    const auto input = random.floats(2 * 5);
    std::vector<std::vector<float>> logits;
    for (const auto& layers : networks) {
        Network network(layers, {1, 1, 5, true}, 3);
        randomize_parameters(network, 3);
        StepClocks clocks;
        BufferPool pool;
        PlanSetting setting;
        setting.geometry = {2, 0, 2, {{0, 2}}};
        StepPlan plan(network, setting, comm, clocks, pool);
        std::copy(input.begin(), input.end(), plan.input());
        plan.forward({});
        logits.emplace_back(plan.logits().begin(), plan.logits().end());
    }
    for (std::size_t i = 1; i < logits.size(); ++i) {
        CAPTURE(i);
        CHECK(logits[i] == logits[0]);
    }
}

TEST_CASE("softmax cross-entropy and its gradient", "[trainer][loss]") {
    RandomValues random(4);
    for (const int classes : {1, 3, 10}) {
        constexpr std::size_t kSamples = 6;
        const auto logits = random.floats(kSamples * static_cast<std::size_t>(classes), -4.0, 4.0);
        std::vector<Label> labels(kSamples);
        for (auto& label : labels)
            label = static_cast<std::uint8_t>(random.below(static_cast<std::uint32_t>(classes)));
        std::vector<float> diff(logits.size());
        const LossSum sum =
            softmax_cross_entropy(logits, labels, classes, static_cast<int>(kSamples), diff);
        Values x = in_double(logits);
        const auto loss = [&] { return plain_loss(x, labels, classes); };
        CHECK(sum.loss / kSamples == Approx(loss()).epsilon(1e-12));
        if (classes > 1) check_gradient("logits", diff, x, loss, 1e-6);
    }
}

// It is linear in the target: (1 - s) of the label's loss, and of every class' loss s / classes.
TEST_CASE("smoothed softmax cross-entropy and its gradient", "[trainer][loss]") {
    RandomValues random(7);
    constexpr std::size_t kSamples = 6;
    for (const int classes : {2, 3, 10})
        for (const double smoothing : {0.1, 0.5, 0.99}) {
            CAPTURE(classes, smoothing);
            const auto logits =
                random.floats(kSamples * static_cast<std::size_t>(classes), -4.0, 4.0);
            std::vector<Label> labels(kSamples);
            for (auto& label : labels)
                label =
                    static_cast<std::uint8_t>(random.below(static_cast<std::uint32_t>(classes)));
            std::vector<float> diff(logits.size());
            const LossSum sum = softmax_cross_entropy(logits, labels, classes,
                                                      static_cast<int>(kSamples), diff, smoothing);
            Values x = in_double(logits);
            const auto loss = [&] {
                double mixed = (1.0 - smoothing) * plain_loss(x, labels, classes);
                for (int label = 0; label < classes; ++label)
                    mixed +=
                        smoothing / classes *
                        plain_loss(x, std::vector(kSamples, static_cast<Label>(label)), classes);
                return mixed;
            };
            CHECK(sum.loss / kSamples == Approx(loss()).epsilon(1e-12));
            CHECK(sum.correct == softmax_cross_entropy(logits, labels, classes, 1, {}).correct);
            check_gradient("logits", diff, x, loss, 1e-6);
        }
}

TEST_CASE("softmax cross-entropy of weighted classes and its gradient", "[trainer][loss]") {
    RandomValues random(9);
    constexpr std::size_t kSamples = 12, kClasses = 4;
    const std::vector<double> weights{0.5, 3.0, 0.0, 1.0};
    const auto logits = random.floats(kSamples * kClasses, -4.0, 4.0);
    std::vector<Label> labels(kSamples);
    for (std::size_t n = 0; n < kSamples; ++n) labels[n] = static_cast<Label>(n % kClasses);
    for (const double smoothing : {0.0, 0.25}) {
        CAPTURE(smoothing);
        std::vector<float> diff(logits.size());
        const LossSum sum =
            softmax_cross_entropy(logits, labels, kClasses, kSamples, diff, smoothing, weights);
        Values x = in_double(logits);
        // Of each class by itself; the mean is over all samples.
        const auto loss = [&] {
            double weighted = 0.0;
            for (std::size_t n = 0; n < kSamples; ++n) {
                const auto at = static_cast<std::ptrdiff_t>(n * kClasses);
                const Values row(x.begin() + at, x.begin() + at + kClasses);
                double of_sample =
                    (1.0 - smoothing) * plain_loss(row, std::span(labels).subspan(n, 1), kClasses);
                for (Label label = 0; label < kClasses; ++label)
                    of_sample +=
                        smoothing / kClasses * plain_loss(row, std::vector{label}, kClasses);
                weighted += weights[labels[n]] * of_sample;
            }
            return weighted / kSamples;
        };
        CHECK(sum.loss / kSamples == Approx(loss()).epsilon(1e-12));
        CHECK(sum.correct == softmax_cross_entropy(logits, labels, kClasses, 1, {}).correct);
        check_gradient("logits", diff, x, loss, 1e-6);
    }
}

// The threshold of Keras on JAX and PyTorch, the k-th largest value; of TensorFlow the same.
TEST_CASE("a label among the k largest logits counts, and with it all that are equal",
          "[trainer][loss]") {
    RandomValues random(10);
    constexpr std::size_t kSamples = 200, kClasses = 9;
    std::vector<float> logits(kSamples * kClasses);
    for (float& logit : logits) logit = static_cast<float>(random.below(6));  // many are equal
    std::vector<Label> labels(kSamples);
    for (Label& label : labels) label = static_cast<Label>(random.below(kClasses));
    for (const int k : {1, 2, 5, 9}) {
        CAPTURE(k);
        int expected = 0;
        for (std::size_t n = 0; n < kSamples; ++n) {
            const auto row = logits.begin() + static_cast<std::ptrdiff_t>(n * kClasses);
            std::vector<float> sorted(row, row + kClasses);
            std::ranges::sort(sorted, std::ranges::greater{});
            expected += row[labels[n]] >= sorted[static_cast<std::size_t>(k) - 1] ? 1 : 0;
        }
        CHECK(count_in_top(k, logits, labels, kClasses) == expected);
    }
    const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
    const std::vector<Label> first{0};
    CHECK(count_in_top(2, std::vector{1.0F, 1.0F, 1.0F}, first, 3) == 1);
    CHECK(count_in_top(2, std::vector{0.0F, 1.0F, 1.0F}, first, 3) == 0);
    for (const float odd : {nan, infinity, -infinity}) {
        CHECK(count_in_top(2, std::vector{odd, 1.0F, 1.0F}, first, 3) == 0);
        CHECK(count_in_top(2, std::vector{2.0F, odd, 1.0F}, first, 3) == 0);
    }
}

// It is linear in the target, here too.
TEST_CASE("softmax cross-entropy of two labels and its gradient", "[trainer][loss]") {
    RandomValues random(9);
    constexpr std::size_t kSamples = 8;
    for (const int classes : {2, 3, 10})
        for (const double smoothing : {0.0, 0.2}) {
            CAPTURE(classes, smoothing);
            const auto logits =
                random.floats(kSamples * static_cast<std::size_t>(classes), -4.0, 4.0);
            const auto label = [&] {
                return static_cast<Label>(random.below(static_cast<std::uint32_t>(classes)));
            };
            const auto weights = random.floats(kSamples, 0.0, 1.0);
            std::vector<Label> labels, heavier;
            std::vector<SecondLabel> second;
            for (std::size_t n = 0; n < kSamples; ++n) {
                labels.push_back(label());
                // One is no other label, and one the same label again.
                second.push_back({n == 1 ? labels[1] : label(), n == 0 ? 0.0F : weights[n]});
                heavier.push_back(second[n].weight > 0.5F ? second[n].label : labels[n]);
            }
            std::vector<float> diff(logits.size());
            const LossSum sum = softmax_cross_entropy(
                logits, labels, classes, static_cast<int>(kSamples), diff, smoothing, {}, second);
            Values x = in_double(logits);
            const auto loss = [&] {
                double mixed = 0.0;
                for (std::size_t n = 0; n < kSamples; ++n) {
                    const auto width = static_cast<std::ptrdiff_t>(classes);
                    const auto row = x.begin() + static_cast<std::ptrdiff_t>(n) * width;
                    const auto of = [&](int one) {
                        return plain_loss(Values(row, row + width),
                                          std::vector{static_cast<Label>(one)}, classes);
                    };
                    const auto w = static_cast<double>(second[n].weight);
                    mixed +=
                        (1.0 - smoothing) * ((1.0 - w) * of(labels[n]) + w * of(second[n].label));
                    for (int one = 0; one < classes; ++one) mixed += smoothing / classes * of(one);
                }
                return mixed / kSamples;
            };
            CHECK(sum.loss / kSamples == Approx(loss()).epsilon(1e-12));
            CHECK(sum.correct == softmax_cross_entropy(logits, heavier, classes, 1, {}).correct);
            check_gradient("logits", diff, x, loss, 1e-6);
            // Weights of zero change no bit.
            std::vector<float> plain(logits.size()), with_none(logits.size());
            const std::vector<SecondLabel> none(kSamples, {1, 0.0F});
            CHECK(softmax_cross_entropy(logits, labels, classes, 8, plain, smoothing).loss ==
                  softmax_cross_entropy(logits, labels, classes, 8, with_none, smoothing, {}, none)
                      .loss);
            CHECK(plain == with_none);
        }
}

TEST_CASE("the loss of extreme logits: exact where it is finite, never NaN", "[trainer][loss]") {
    const std::vector<Label> first{0};
    const auto loss = [&](std::vector<float> logits) {
        return softmax_cross_entropy(logits, first, 2, 1, {}).loss;
    };
    CHECK(loss({0.0F, 0.0F}) == Approx(std::log(2.0)));
    CHECK(loss({1e30F, -1e30F}) == 0.0);
    CHECK(loss({-1e4F, 1e4F}) == Approx(2e4));
    const float infinity = std::numeric_limits<float>::infinity();
    CHECK(loss({-infinity, 0.0F}) == std::numeric_limits<double>::infinity());
    CHECK(std::isnan(loss({std::nanf(""), 0.0F})));
    CHECK(std::isnan(loss({0.0F, std::nanf("")})));
}

TEST_CASE("an answer counts where the first largest logit is the label's", "[trainer][loss]") {
    const std::vector<float> logits{1, 1, 0, /**/ 1, 1, 0, /**/ 0, 2, 1};
    const std::vector<Label> labels{0, 1, 1};
    CHECK(softmax_cross_entropy(logits, labels, 3, 3, {}).correct == 2);
}
