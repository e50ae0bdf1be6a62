#include "reports/figures/prediction_figures.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

// Two classes; one row of probabilities a sample.
storage::Predictions predictions(std::vector<std::uint16_t> labels,
                                 std::vector<float> probabilities) {
    storage::Predictions p;
    p.class_names = {"cat", "dog"};
    p.labels = std::move(labels);
    p.probabilities = std::move(probabilities);
    return p;
}

TEST_CASE("Confusion, precision, recall and F1 are counted by hand") {
    // labels     cat cat cat dog dog
    // predicted  cat cat dog cat dog
    const auto figures = prediction_figures(
        predictions({0, 0, 0, 1, 1}, {.9f, .1f, .8f, .2f, .3f, .7f, .6f, .4f, .1f, .9f}));
    CHECK(figures.confusion == std::vector<std::int64_t>{2, 1, 1, 1});
    CHECK(*figures.classes[0].precision == Approx(2.0 / 3));
    CHECK(*figures.classes[0].recall == Approx(2.0 / 3));
    CHECK(*figures.classes[0].f1 == Approx(2.0 / 3));
    CHECK(*figures.classes[1].precision == Approx(0.5));
    CHECK(*figures.classes[1].recall == Approx(0.5));
    CHECK(figures.is_correct == std::vector<bool>{true, true, false, false, true});
}

TEST_CASE("A class without samples or predictions has no recall or precision") {
    const auto figures = prediction_figures(predictions({0}, {.9f, .1f}));
    CHECK_FALSE(figures.classes[1].precision.has_value());
    CHECK_FALSE(figures.classes[1].recall.has_value());
    CHECK_FALSE(figures.classes[1].f1.has_value());
    CHECK(figures.classes[0].precision == 1.0);
}

TEST_CASE("Of equal probabilities the first class is predicted, as argmax has it") {
    const auto figures = prediction_figures(predictions({0, 1}, {.5f, .5f, .5f, .5f}));
    CHECK(figures.is_correct == std::vector<bool>{true, false});
}

TEST_CASE("The expected calibration error weighs each bin by its samples") {
    // Three samples at confidence 0.875, two of them right; one at 0.625 that is wrong:
    // 3/4 |2/3 - 0.875| + 1/4 |0 - 0.625|.
    const auto figures = prediction_figures(
        predictions({0, 0, 1, 1}, {.875f, .125f, .875f, .125f, .875f, .125f, .625f, .375f}));
    CHECK(*figures.expected_calibration_error == Approx(0.75 * (0.875 - 2.0 / 3) + 0.25 * 0.625));
}

TEST_CASE("A bin is open below and closed above; the last one holds certainty") {
    const auto figures = prediction_figures(predictions({0, 0}, {1.0f, 0.0f, 0.6f, 0.4f}));
    CHECK(figures.bins.back().samples == 1);
    // float 0.6 lies just above 9/15.
    CHECK(figures.bins[9].samples == 1);
    CHECK(*figures.expected_calibration_error == Approx(0.2));
}

TEST_CASE("Without samples nothing is defined, and nothing fails") {
    const auto figures = prediction_figures(predictions({}, {}));
    CHECK_FALSE(figures.expected_calibration_error.has_value());
    CHECK(figures.mistakes.empty());
    CHECK(figures.confusion == std::vector<std::int64_t>{0, 0, 0, 0});
}

TEST_CASE("Probabilities that are no numbers count as mistakes, in no bin") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const auto figures = prediction_figures(predictions({0, 0}, {nan, nan, .9f, .1f}));
    CHECK(figures.not_finite == 1);
    CHECK(figures.is_correct == std::vector<bool>{false, true});
    CHECK(*figures.expected_calibration_error == Approx(0.1));
    CHECK(figures.mistakes.empty());
}

TEST_CASE("The most confident mistakes come first, with their image where it is stored") {
    auto p = predictions({1, 1, 1, 0}, {.6f, .4f, .9f, .1f, .1f, .9f, .2f, .8f});
    p.image_height = p.image_width = 1;
    p.image_samples = {0, 1};
    p.images = {1, 2, 3, 4, 5, 6};
    const auto figures = prediction_figures(p);
    REQUIRE(figures.mistakes.size() == 3);
    CHECK(figures.mistakes[0].sample == 1);
    CHECK(figures.mistakes[0].image == std::size_t{1});
    CHECK(figures.mistakes[1].sample == 3);
    CHECK_FALSE(figures.mistakes[1].image.has_value());
    CHECK(figures.mistakes[2].sample == 0);
    CHECK(figures.first.size() == 2);
}

}  // namespace
}  // namespace lockstep::reports
