// data.augmentation: what is read, what is refused, and its text.
#include "pipeline/experiment/augmentation_section.hpp"

#include <string>
#include <variant>

#include "pipeline/planning/effective_config.hpp"
#include "tests/pipeline/spec_support.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep;
using namespace lockstep::tests;

namespace {

std::string file(const std::string& changes) {
    return std::string(kHead) + "[data]\naugmentation = " + changes + "\n" + run_text();
}

pipeline::RunSpec run_of(const std::string& changes) { return read(file(changes)).runs.at(0); }

std::string digest_of(const pipeline::RunSpec& run) {
    return pipeline::effective_config(run).digest;
}

}  // namespace

TEST_CASE("changes of images are read with Keras' words and defaults", "[spec][augmentation]") {
    const auto changes = run_of(R"([
  { type = "random_flip" },
  { type = "random_crop", padding = 4 },
  { type = "random_translation", height_factor = 0.25, width_factor = [0.0, 0.5], fill_mode = "wrap" },
  { type = "random_rotation", factor = 0.5, fill_mode = "constant", fill_value = 9 },
  { type = "random_zoom", height_factor = [-0.5, 0] },
  { type = "random_contrast", factor = [0.25, 0.5] },
  { type = "random_brightness", factor = 0.25 },
  { type = "cutout", size = 8 },
  { type = "mixup" },
])")
                             .config.data.augmentation;
    REQUIRE(changes.size() == 9);
    CHECK(std::get<trainer::RandomFlipConfig>(changes[0]).mode ==
          trainer::FlipMode::horizontal_and_vertical);
    const auto& crop = std::get<trainer::RandomCropConfig>(changes[1]);
    CHECK(crop.padding == 4);
    CHECK(crop.fill.mode == trainer::FillMode::constant);
    const auto& translation = std::get<trainer::RandomTranslationConfig>(changes[2]);
    CHECK(translation.height.low == -0.25);
    CHECK(translation.height.high == 0.25);
    CHECK(translation.width.low == 0.0);
    CHECK(translation.fill.mode == trainer::FillMode::wrap);
    const auto& rotation = std::get<trainer::RandomRotationConfig>(changes[3]);
    CHECK(rotation.fill.value == 9.0);
    const auto& zoom = std::get<trainer::RandomZoomConfig>(changes[4]);
    CHECK(zoom.keeps_aspect);
    CHECK(zoom.height.low == -0.5);
    CHECK(zoom.fill.mode == trainer::FillMode::reflect);
    const auto& contrast = std::get<trainer::RandomContrastConfig>(changes[5]);
    CHECK(contrast.factor.low == 0.75);
    CHECK(contrast.factor.high == 1.5);
    CHECK(std::get<trainer::CutoutConfig>(changes[7]).size == 8);
    CHECK(std::get<trainer::MixupConfig>(changes[8]).alpha == 0.2);
}

TEST_CASE("none is none, and equal changes are one run", "[spec][augmentation]") {
    const std::string plain = digest_of(read(kHead + run_text()).runs.at(0));
    CHECK(digest_of(run_of("[]")) == plain);
    CHECK(digest_of(run_of("\"none\"")) == plain);
    const std::string crop = digest_of(run_of("[{ type = \"random_crop\", padding = 4 }]"));
    CHECK(crop != plain);
    CHECK(digest_of(run_of("[{ fill_value = 0.0, type = \"random_crop\", fill_mode = \"constant\", "
                           "padding = 4 }]")) == crop);
    CHECK(digest_of(run_of("[{ type = \"random_crop\", padding = 3 }]")) != crop);
}

TEST_CASE("the text of changes reads back as the same changes", "[spec][augmentation]") {
    const auto run = run_of(R"([
  { type = "random_flip", mode = "alternating" }, { type = "random_crop", padding = 2, fill_mode = "mirror" },
  { type = "random_translation", height_factor = 0.1, width_factor = 0.2 },
  { type = "random_rotation", factor = [-0.1, 0.3] }, { type = "random_zoom", height_factor = 0.1, width_factor = 0.2 },
  { type = "random_zoom", height_factor = 0.1 }, { type = "random_brightness", factor = 0.1 },
  { type = "random_contrast", factor = [0.25, 0.5] }, { type = "cutout", size = 3, fill_value = 0.5 },
  { type = "mixup", alpha = 0.3 }])");
    const std::string text = pipeline::augmentation_text(run.config.data.augmentation);
    CHECK(digest_of(run_of(text)) == digest_of(run));
}

TEST_CASE("wrong changes of images are told", "[spec][augmentation]") {
    const auto error = [](const std::string& changes) { return problem_in(file(changes)); };
    CHECK(contains(error("[{ type = \"random_flop\" }]"), "did you mean \"random_flip\"?"));
    CHECK(contains(error("[{ mode = \"horizontal\" }]"), "a change of images needs a type"));
    CHECK(contains(error("[{ type = \"random_flip\", padding = 3 }]"), "padding"));
    CHECK(contains(error("[{ type = \"random_crop\" }]"), "it needs padding"));
    CHECK(contains(error("[{ type = \"random_rotation\", factor = 2 }]"), "factor must be"));
    CHECK(
        contains(error("[{ type = \"random_rotation\", factor = [0.3, 0.1] }]"), "factor must be"));
    CHECK(contains(error("[{ type = \"random_rotation\", factor = -0.1 }]"), "factor must be"));
    CHECK(contains(error("[{ type = \"random_zoom\", height_factor = [-1, 0] }]"),
                   "height_factor must be"));
    CHECK(contains(error("[{ type = \"random_contrast\", factor = 1.5 }]"), "factor must be"));
    CHECK(contains(error("[{ type = \"cutout\", size = 0 }]"), "size must be"));
    CHECK(contains(error("[{ type = \"mixup\", alpha = 0 }]"), "alpha must be"));
    CHECK(contains(error("[{ type = \"mixup\" }, { type = \"mixup\" }]"), "images are mixed once"));
    CHECK(contains(error("\"flip\""), "augmentation must be \"none\" or a list"));
    CHECK(contains(error("[1, 2]"), "a change of images must be a table"));
}
