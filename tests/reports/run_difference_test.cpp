#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "reports/figures/figure_difference.hpp"
#include "reports/figures/setting_difference.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

constexpr const char* kFirst =
    "name = \"a\"  # x.toml:1\n"
    "train.batch_size = 32  # default\n"
    "train.optimizer.rho = 0.9  # default\n"
    "\n[[run.layers]]\n"
    "type = \"conv2d\"  # x.toml:2\nname = \"conv2d\"  # default\nfilters = 8  # x.toml:2\n"
    "\n[[run.layers]]\n"
    "type = \"flatten\"  # x.toml:3\nname = \"flatten\"  # default\n"
    "\n[[run.layers]]\n"
    "type = \"dense\"  # x.toml:4\nname = \"dense\"  # default\nunits = 10  # x.toml:4\n";

std::vector<SettingDifference> differences(const std::string& first, const std::string& second) {
    return setting_differences(config_values(first), config_values(second));
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
}

TEST_CASE("diff: equal settings differ in nothing, wherever they come from") {
    CHECK(differences(kFirst, kFirst).empty());
    CHECK(differences(kFirst, replaced(kFirst, "# default", "# --set")).empty());
    CHECK(differences("", "").empty());
}

TEST_CASE("diff: a setting that changed, that came, and that went") {
    const std::string second =
        replaced(replaced(kFirst, "batch_size = 32", "batch_size = 64"), "rho", "beta_1");
    CHECK(differences(kFirst, second) ==
          std::vector<SettingDifference>{{"train.batch_size", "32", "64"},
                                         {"train.optimizer.rho", "0.9", ""},
                                         {"train.optimizer.beta_1", "", "0.9"}});
}

TEST_CASE("diff: a layer more is one difference, though all behind it count on") {
    const std::string pooling = "[[run.layers]]\ntype = \"max_pooling2d\"\nname = \"pool\"\n\n";
    const std::string second = replaced(kFirst, "[[run.layers]]\ntype = \"flatten\"",
                                        pooling + "[[run.layers]]\ntype = \"flatten\"");
    CHECK(differences(kFirst, second) ==
          std::vector<SettingDifference>{{"layers.pool", "", "type = \"max_pooling2d\""}});
    CHECK(differences(second, kFirst) ==
          std::vector<SettingDifference>{{"layers.pool", "type = \"max_pooling2d\"", ""}});
}

TEST_CASE("diff: two layers of one type differ in their settings, others as a whole") {
    CHECK(differences(kFirst, replaced(kFirst, "filters = 8", "filters = 16")) ==
          std::vector<SettingDifference>{{"layers.conv2d.filters", "8", "16"}});
    const auto swapped = differences(kFirst, replaced(kFirst, "\"conv2d\"", "\"dropout\""));
    REQUIRE(swapped.size() == 2);
    // One name on both sides: the key says whose layer it is.
    CHECK(swapped[0].key == "layers.conv2d (of second)");
    CHECK(swapped[1].key == "layers.conv2d (of first)");
}

RunFigures run(const std::string& design, double test_accuracy) {
    RunFigures figures;
    figures.run.state = storage::RunState::finished;
    figures.design.settings = design;
    figures.test_accuracy = test_accuracy;
    return figures;
}

FigureDifference of_test_accuracy(double first, double second,
                                  const std::vector<RunFigures>& first_seeds,
                                  const std::vector<RunFigures>& second_seeds,
                                  const std::string& second_design = "b") {
    const auto all =
        figure_differences(run("a", first), run(second_design, second), first_seeds, second_seeds);
    REQUIRE(all.size() == 1);  // neither has any other figure
    CHECK(all[0].figure == "test_accuracy");
    return all[0];
}

TEST_CASE("diff: the noise is t sqrt(2) s over the seeds of either design") {
    // Distances from the means 0.5 and 0.7: 0.1, 0, -0.1 and 0.1, -0.1, so s^2 = 0.04 / 3; t of 3
    // degrees is 3.1824 (tables).
    const std::vector<RunFigures> first{run("a", 0.6), run("a", 0.5), run("a", 0.4)};
    const std::vector<RunFigures> second{run("b", 0.8), run("b", 0.6)};
    const double noise = 3.182446 * std::sqrt(2.0 * 0.04 / 3.0);
    const auto within = of_test_accuracy(0.1, 0.6, first, second);
    CHECK(within.seed_noise.value() == Approx(noise));
    CHECK(within.movement == Movement::within);
    CHECK(of_test_accuracy(0.1, 0.1 + noise * 1.01, first, second).movement == Movement::beyond);
    CHECK(of_test_accuracy(0.9, 0.9 - noise * 1.01, first, second).movement == Movement::beyond);
    CHECK(of_test_accuracy(0.4, 0.4, first, second).movement == Movement::none);
    // One design: its seeds count once. s^2 = 0.02 / 2, t of 2 degrees 4.3027.
    CHECK(of_test_accuracy(0.4, 0.6, first, first, "a").seed_noise.value() ==
          Approx(4.302653 * std::sqrt(2.0 * 0.01)));
}

TEST_CASE("diff: without two seeds that differ nobody knows the noise") {
    const std::vector<RunFigures> one{run("a", 0.5)};
    CHECK(of_test_accuracy(0.5, 0.9, one, one).movement == Movement::unknown);
    CHECK_FALSE(of_test_accuracy(0.5, 0.9, {}, {}).seed_noise.has_value());
    const std::vector<RunFigures> equal{run("a", 0.5), run("a", 0.5)};
    CHECK(of_test_accuracy(0.5, 0.9, equal, {}).movement == Movement::unknown);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<RunFigures> two{run("a", 0.5), run("a", 0.6)};
    CHECK(of_test_accuracy(0.5, nan, two, {}).movement == Movement::unknown);
}

TEST_CASE("diff: of several figures each is held to Holm's correction") {
    // Two seeds a design: t of 2 degrees; deviations of sqrt(2) x 0.01 (accuracy) and 0.02 (loss).
    const auto of = [](const std::string& design, double accuracy, double loss) {
        RunFigures figures = run(design, accuracy);
        figures.test_loss = loss;
        return figures;
    };
    const std::vector<RunFigures> first{of("a", 0.51, 1.02), of("a", 0.49, 0.98)};
    const std::vector<RunFigures> second{of("b", 0.61, 1.02), of("b", 0.59, 0.98)};
    const auto all = figure_differences(of("a", 0.5, 1.0), of("b", 0.6, 1.01), first, second);
    REQUIRE(all.size() == 2);
    // s^2 = 0.0004 / 2, t = 0.1 / (sqrt(2) s) = 5; p = 1 - t / sqrt(2 + t^2) for 2 degrees.
    CHECK(*all[0].p_value == Approx(1.0 - 5.0 / std::sqrt(27.0)));
    CHECK(*all[0].adjusted_p_value == Approx(2.0 * *all[0].p_value));
    // Alone it would be beyond: 0.1 > seed_noise. Of two figures it is not enough.
    CHECK(0.1 > *all[0].seed_noise);
    CHECK(all[0].movement == Movement::within);
    CHECK(all[1].movement == Movement::within);
}

TEST_CASE("diff: a rounding is no movement, and no noise") {
    const std::vector<RunFigures> dust{run("a", 0.1 + 0.2), run("a", 0.3)};
    CHECK(of_test_accuracy(0.3, 0.1 + 0.2, dust, {}).movement == Movement::none);
    CHECK(of_test_accuracy(0.3, 0.4, dust, {}).movement == Movement::unknown);
}

TEST_CASE("diff: figures of other images are not compared, and count for no correction") {
    const auto of = [](const std::string& digest, double accuracy) {
        RunFigures figures = run("a", accuracy);
        figures.test_set.data_digest = digest;
        figures.seconds = 10.0 * accuracy;
        figures.epochs.resize(static_cast<std::size_t>(100.0 * accuracy + 0.5));
        return figures;
    };
    const std::vector<RunFigures> first{of("d1", 0.51), of("d1", 0.49)};
    const std::vector<RunFigures> second{of("d2", 0.91), of("d2", 0.89)};
    const auto all = figure_differences(of("d1", 0.5), of("d2", 0.9), first, second);
    REQUIRE(all.size() == 3);
    CHECK(all[0].figure == "test_accuracy");
    CHECK(all[0].movement == Movement::not_comparable);
    CHECK_FALSE(all[0].p_value.has_value());
    CHECK(all[1].figure == "epochs");
    REQUIRE(all[1].p_value.has_value());
    CHECK(*all[1].adjusted_p_value == *all[1].p_value);  // alone
    // The time is the machine's: far apart, and no figure of the training.
    CHECK(all[2].figure == "run_seconds");
    CHECK(all[2].movement == Movement::not_tested);
    CHECK_FALSE(all[2].p_value.has_value());
    CHECK_FALSE(all[2].seed_noise.has_value());
}

TEST_CASE("diff: what a source printed is no setting of the training") {
    const auto of = [](const char* text) { return config_values(text); };
    CHECK(setting_differences(of("train.epochs = 2\nexpect.parameters = 10\n"),
                              of("train.epochs = 2\n"))
              .empty());
}

TEST_CASE("diff: images that validate are others where the settings say so") {
    const auto of = [](const std::string& validation) {
        RunFigures figures = run("a", 0.5);
        figures.val_accuracy.final = 0.5;
        figures.config = config_values("data.validation = " + validation + "\n");
        return figures;
    };
    const auto all = figure_differences(of("\"test\""), of("\"none\""), {}, {});
    REQUIRE(all.size() == 2);
    CHECK(all[0].movement == Movement::none);  // the test images are the same
    CHECK(all[1].figure == "val_accuracy");
    CHECK(all[1].movement == Movement::not_comparable);
}

TEST_CASE("diff: a run that is not finished is held to no scatter of finished ones") {
    // 0.4 above, where seeds differ by 0.01: beyond, if it were an end.
    const std::vector<RunFigures> first{run("a", 0.51), run("a", 0.50)};
    RunFigures begun = run("b", 0.9);
    begun.run.state = storage::RunState::running;
    begun.val_loss.final = 1.0;
    RunFigures other = run("a", 0.5);
    other.val_loss.final = 1.0;
    for (const auto& all : {figure_differences(other, begun, first, {}),
                            figure_differences(begun, other, {}, first)}) {
        REQUIRE(all.size() == 2);
        CHECK(to_string(all[0].movement) == "not tested: not finished");
        CHECK_FALSE(all[0].seed_noise.has_value());
        CHECK_FALSE(all[0].p_value.has_value());
        CHECK(all[1].movement == Movement::none);  // equal figures are equal
    }
}

TEST_CASE("diff: means of architectures are subtracted on the same images alone") {
    const auto of = [](std::int64_t images, const std::string& validation, double accuracy) {
        RunFigures figures = run("a", accuracy);
        figures.test_set.images = images;
        figures.test_top_5_accuracy = accuracy + 0.1;
        figures.val_accuracy.final = 0.5;
        figures.config = config_values("data.validation = " + validation + "\n");
        figures.seconds = 10.0;
        return figures;
    };
    const std::vector<RunFigures> first{of(100, "\"test\"", 0.2), of(100, "\"test\"", 0.4)};
    const auto all = mean_differences(first, {of(30, "{ first = 20 }", 0.5)});
    REQUIRE(all.size() == 4);
    CHECK(all[0].figure == "test_accuracy");
    CHECK(*all[0].first == Approx(0.3));
    CHECK(all[1].figure == "test_top_5_accuracy");
    CHECK(*all[1].first == Approx(0.4));
    CHECK(all[2].figure == "val_accuracy");
    for (std::size_t i = 0; i < 3; ++i) CHECK(all[i].movement == Movement::not_comparable);
    CHECK(all[3].figure == "run_seconds");
    CHECK(all[3].movement == Movement::none);
    CHECK(mean_differences(first, {of(100, "\"test\"", 0.5)})[0].movement == Movement::unknown);
    CHECK(mean_differences(first, {}).empty());
}

TEST_CASE("diff: a side that was selected on the test set is marked where that flatters it") {
    RunFigures chosen = run("a", 0.5);
    chosen.run.selected_on_test_set = true;
    chosen.seconds = 1.0;
    const auto all = figure_differences(run("b", 0.5), chosen, {}, {});
    REQUIRE(all.size() == 2);
    CHECK_FALSE(all[0].is_first_selected);
    CHECK(all[0].is_second_selected);
    CHECK_FALSE(all[1].is_second_selected);  // run_seconds
}

}  // namespace
}  // namespace lockstep::reports
