#include "storage/weights/predictions_file.hpp"

#include "storage/weights/weights_file.hpp"
#include "tests/storage/sample_model.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

Predictions sample_predictions() {
    Predictions p;
    p.class_names = {"airplane", "automobile", "bird"};
    p.labels = {2, 0, 1, 1};
    p.probabilities = {0.1F, 0.2F, 0.7F, 1.0F, 0.0F, 0.0F, 0.25F, 0.5F, 0.25F, 0.0F, 1.0F, 0.0F};
    p.image_height = 2;
    p.image_width = 3;
    p.image_samples = {3, 0};
    for (int i = 0; i < 2 * 2 * 3 * 3; ++i) p.images.push_back(static_cast<std::uint8_t>(7 * i));
    return p;
}

}  // namespace

TEST_CASE("predictions: come back as they were", "[storage]") {
    const tests::TemporaryDirectory folder;
    const auto path = folder / "predictions.h5";
    const SavedFile first = write_predictions(path, sample_predictions());
    CHECK(read_predictions(path) == sample_predictions());
    CHECK(write_predictions(path, sample_predictions()).sha256 == first.sha256);
    Predictions with_picture = sample_predictions();
    with_picture.augmentation = {1, 2, {1, 2, 3, 4, 5, 6}};
    write_predictions(path, with_picture);
    CHECK(read_predictions(path) == with_picture);
    Predictions without_images = sample_predictions();
    without_images.image_samples.clear();
    without_images.images.clear();
    write_predictions(path, without_images);
    CHECK(read_predictions(path) == without_images);
}

TEST_CASE("predictions: labels beyond 256 classes come back as they were", "[storage]") {
    const tests::TemporaryDirectory folder;
    Predictions p = sample_predictions();
    p.class_names.clear();
    for (int i = 0; i < 300; ++i) p.class_names.push_back(std::to_string(i));
    p.labels = {299, 43, 256, 0};
    p.probabilities.assign(4 * 300, 1.0F / 300);
    write_predictions(folder / "p.h5", p);
    CHECK(read_predictions(folder / "p.h5") == p);
}

TEST_CASE("predictions: sizes that do not fit are refused", "[storage]") {
    const tests::TemporaryDirectory folder;
    Predictions p = sample_predictions();
    SECTION("probabilities") { p.probabilities.pop_back(); }
    SECTION("images") { p.images.pop_back(); }
    SECTION("the picture of the augmentation") { p.augmentation = {1, 1, {1, 2}}; }
    SECTION("a sample that is none") { p.image_samples[0] = 4; }
    SECTION("a label that is none") { p.labels[0] = 3; }
    CHECK_THROWS_AS(write_predictions(folder / "predictions.h5", p), std::invalid_argument);
    CHECK_FALSE(std::filesystem::exists(folder / "predictions.h5"));
}

TEST_CASE("predictions: another file is refused", "[storage]") {
    const tests::TemporaryDirectory folder;
    write_model_file(folder / "model.h5", sample_model(), sample_weights());
    CHECK(kind_thrown_by([&] { read_predictions(folder / "model.h5"); }) ==
          StorageError::Kind::bad_data);
}

}  // namespace lockstep::storage
