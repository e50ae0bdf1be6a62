#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/data/dataset.hpp"

namespace {

using namespace lockstep::trainer;
using Indices = std::vector<std::uint32_t>;
using Labels = std::vector<Label>;

// Images of 1 x 2 pixels and two channels; sample i's pixels are 4i, 4i + 1 | 4i + 2, 4i + 3.
ImageSet images_with(const Labels& labels) {
    std::vector<std::uint8_t> pixels;
    for (std::size_t i = 0; i < 4 * labels.size(); ++i)
        pixels.push_back(static_cast<std::uint8_t>(i % 256));
    return {std::move(pixels), labels};
}

std::shared_ptr<const Dataset> dataset_with(const Labels& training, const Labels& test) {
    return std::make_shared<Dataset>(Dataset{"pets",
                                             {.height = 1, .width = 2, .channels = 2},
                                             {"cat", "dog", "fish"},
                                             images_with(training),
                                             images_with(test),
                                             ""});
}

std::shared_ptr<const Dataset> pets() {
    return dataset_with({0, 1, 2, 2, 1, 0, 2, 0}, {2, 1, 0, 1});
}

// `count` samples of the classes 0, 1, 2, 0, 1, 2, ...
std::shared_ptr<const Dataset> many_pets(std::size_t count) {
    Labels labels;
    for (std::size_t i = 0; i < count; ++i) labels.push_back(static_cast<std::uint8_t>(i % 3));
    return dataset_with(labels, {0, 1, 2});
}

RunData select(const std::shared_ptr<const Dataset>& dataset, const ValidationConfig& validation,
               const std::vector<std::string>& classes = {}, std::uint64_t seed = 1) {
    DataConfig config;
    config.validation = validation;
    config.classes = classes;
    return select_samples(dataset, config, seed);
}

bool says(const std::string& message, const std::string& words) {
    return message.find(words) != std::string::npos;
}

std::string refusal_of(const ValidationConfig& validation,
                       const std::vector<std::string>& classes = {}) {
    try {
        select(pets(), validation, classes);
    } catch (const DataError& error) {
        CHECK(error.kind() == DataError::Kind::bad_request);
        return error.what();
    }
    return "nothing was refused";
}

Indices sorted_union(Indices a, const Indices& b) {
    a.insert(a.end(), b.begin(), b.end());
    std::ranges::sort(a);
    return a;
}

}  // namespace

TEST_CASE("select: without classes all samples keep their labels and order", "[select]") {
    const auto dataset = pets();
    const RunData data = select(dataset, NoValidation{});
    CHECK(data.training.indices == Indices{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(data.training.labels == dataset->training.labels);
    CHECK(data.training.images == &dataset->training);
    CHECK(data.test.indices == Indices{0, 1, 2, 3});
    CHECK(data.test.images == &dataset->test);
    CHECK(data.class_names == dataset->class_names);
    CHECK(data.validation.count() == 0);
    CHECK_FALSE(data.validates_on_test_set);
}

TEST_CASE("select: labels are renumbered in the order the classes are listed", "[select]") {
    const RunData data = select(pets(), NoValidation{}, {"fish", "cat"});
    CHECK(data.class_names == std::vector<std::string>{"fish", "cat"});
    CHECK(data.training.indices == Indices{0, 2, 3, 5, 6, 7});
    CHECK(data.training.labels == Labels{1, 0, 0, 1, 0, 1});
    CHECK(data.test.indices == Indices{0, 2});
    CHECK(data.test.labels == Labels{0, 1});
}

TEST_CASE("select: unknown and doubled classes are refused, the known ones named", "[select]") {
    CHECK(says(refusal_of(NoValidation{}, {"cat", "bird"}),
               "unknown class \"bird\"; the classes of pets are cat, dog, fish"));
    CHECK(says(refusal_of(NoValidation{}, {"cat", "dog", "cat"}), "class \"cat\" is listed twice"));
}

TEST_CASE("select: the test set may validate, and that is marked", "[select]") {
    const RunData data = select(pets(), TestSetValidation{}, {"dog"});
    CHECK(data.validates_on_test_set);
    CHECK(data.validation.indices == Indices{1, 3});
    CHECK(data.validation.indices == data.test.indices);
    CHECK(data.validation.images == data.test.images);
    CHECK(data.training.indices == Indices{1, 4});
}

TEST_CASE("select: the first n samples of the chosen classes validate, the rest trains",
          "[select]") {
    const RunData data = select(pets(), FirstValidation{2}, {"dog", "fish"});
    CHECK(data.validation.indices == Indices{1, 2});
    CHECK(data.validation.labels == Labels{0, 1});
    CHECK(data.training.indices == Indices{3, 4, 6});
    CHECK(data.training.labels == Labels{1, 0, 1});
    CHECK_FALSE(data.validates_on_test_set);
    CHECK(select(pets(), FirstValidation{7}).training.indices == Indices{7});
    for (const std::int64_t count : {-1, 0, 8, 9})
        CHECK(refusal_of(FirstValidation{count}).find("there are 8") != std::string::npos);
}

TEST_CASE("select: a fraction takes the rounded share of every class", "[select]") {
    // classes of 34, 33 and 33: 0.25 of them are 8.5 and 8.25, rounded to 9 and 8
    const RunData data = select(many_pets(100), FractionValidation{0.25});
    CHECK(std::ranges::count(data.validation.labels, 0) == 9);
    CHECK(std::ranges::count(data.validation.labels, 1) == 8);
    CHECK(std::ranges::count(data.validation.labels, 2) == 8);
    CHECK(std::ranges::is_sorted(data.validation.indices));
    CHECK(std::ranges::is_sorted(data.training.indices));
    CHECK(sorted_union(data.training.indices, data.validation.indices) ==
          select(many_pets(100), NoValidation{}).training.indices);
    for (std::size_t i = 0; i < data.validation.indices.size(); ++i)
        CHECK(data.validation.labels[i] == data.validation.indices[i] % 3);
}

TEST_CASE("select: the fraction's samples follow from the seed", "[select]") {
    const auto drawn = [](std::uint64_t seed) {
        return select(many_pets(300), FractionValidation{0.1}, {}, seed).validation.indices;
    };
    CHECK(drawn(1) == drawn(1));
    CHECK(drawn(1) != drawn(2));
}

TEST_CASE("select: the fraction of a class is the same beside other classes", "[select]") {
    const auto of_dogs = [](const std::vector<std::string>& classes) {
        Indices dogs;
        for (const auto index :
             select(many_pets(300), FractionValidation{0.1}, classes).validation.indices)
            if (index % 3 == 1) dogs.push_back(index);
        return dogs;
    };
    CHECK(of_dogs({"dog"}).size() == 10);
    CHECK(of_dogs({"fish", "dog"}) == of_dogs({"dog"}));
}

TEST_CASE("select: every sample of a class is drawn about equally often", "[select]") {
    std::vector<int> counts(30);
    for (std::uint64_t seed = 1; seed <= 1000; ++seed)
        for (const auto index :
             select(many_pets(90), FractionValidation{0.2}, {"cat"}, seed).validation.indices)
            ++counts[index / 3];
    // 6 of 30 each time: 200 expected, deviation sqrt(1000 x 0.2 x 0.8) = 12.6
    CHECK(std::ranges::min(counts) > 200 - 5 * 13);
    CHECK(std::ranges::max(counts) < 200 + 5 * 13);
}

TEST_CASE("select: a fraction must be one, and leave samples on both sides", "[select]") {
    for (const double fraction : {0.0, 1.0, -0.5, std::nan("")})
        CHECK(refusal_of(FractionValidation{fraction}).find("between 0 and 1") !=
              std::string::npos);
    CHECK(refusal_of(FractionValidation{0.05}).find("leaves 8 samples to train on and 0") !=
          std::string::npos);
    CHECK(refusal_of(FractionValidation{0.95}).find("leaves 0 samples") != std::string::npos);
}

TEST_CASE("select: classes without training or test samples are refused", "[select]") {
    DataConfig config;
    config.classes = {"fish"};
    CHECK_THROWS_AS(select_samples(dataset_with({0, 1, 2}, {0, 1}), config, 1), DataError);
    CHECK_THROWS_AS(select_samples(dataset_with({0, 1}, {0, 1, 2}), config, 1), DataError);
}

TEST_CASE("select: unit and raw scales are exact", "[select]") {
    const RunData unit = select(pets(), NoValidation{});
    CHECK(unit.scale.offset == std::vector<float>{0.0F, 0.0F});
    CHECK(unit.scale.divisor == std::vector<float>{255.0F, 255.0F});
    DataConfig config;
    config.scale = Scale::raw;
    const RunData raw = select_samples(pets(), config, 1);
    CHECK(raw.scale.offset == std::vector<float>{0.0F, 0.0F});
    CHECK(raw.scale.divisor == std::vector<float>{1.0F, 1.0F});
}

TEST_CASE("select: the standard scale is that of the samples that train", "[select]") {
    DataConfig config;
    config.scale = Scale::standard;
    config.validation = FirstValidation{6};
    const RunData data = select_samples(pets(), config, 1);  // trains on samples 6 and 7
    // channel 0: 24, 25, 28, 29; channel 1: 26, 27, 30, 31; both vary by 2.5, 1.5, 1.5, 2.5
    CHECK(data.scale.offset == std::vector<float>{26.5F, 28.5F});
    const float deviation = std::sqrt(4.25F);
    CHECK(data.scale.divisor[0] == Approx(deviation));
    CHECK(data.scale.divisor[1] == Approx(deviation));
}

TEST_CASE("select: a constant channel is not divided by zero", "[select]") {
    DataConfig config;
    config.scale = Scale::standard;
    auto dataset = std::make_shared<Dataset>(*pets());
    dataset->training.pixels =
        std::vector<std::uint8_t>(dataset->training.pixels.size(), std::uint8_t{7});
    const RunData data = select_samples(dataset, config, 1);
    CHECK(data.scale.offset == std::vector<float>{7.0F, 7.0F});
    CHECK(data.scale.divisor == std::vector<float>{1.0F, 1.0F});
}
