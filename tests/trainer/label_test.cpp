// Labels that do not fit into a byte.

#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "tests/support/catch.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/data/split_writer.hpp"
#include "trainer/kernels/softmax.hpp"

namespace {

using namespace lockstep::trainer;

constexpr Shape kPixel{.height = 1, .width = 1, .channels = 1};

// Images of one pixel with these labels, of so many classes; its digest.
std::string digest_of(const std::vector<Label>& labels, std::size_t classes) {
    const auto count = static_cast<std::int64_t>(labels.size());
    Sha256 digest = begin_digest(count, 0, kPixel);
    SplitWriter writer(count, kPixel, classes, digest);
    writer.append(std::vector<std::uint8_t>(labels.size(), 7), labels);
    CHECK(std::move(writer).finish().labels == labels);
    return digest.hex();
}

}  // namespace

TEST_CASE("labels are digested as bytes up to 256 classes, as two beyond", "[data]") {
    const std::string head = "images 2 0 1 1 1\n\x07\x07";
    CHECK(digest_of({1, 255}, 256) == sha256_hex(head + "\x01\xff"));
    CHECK(digest_of({1, 256}, 257) == sha256_hex(head + std::string("\x01\x00\x00\x01", 4)));
    CHECK(digest_of({1, 65534}, 65535) == sha256_hex(head + std::string("\x01\x00\xfe\xff", 4)));
}

TEST_CASE("classes beyond 256 are chosen, renumbered and split by their whole number", "[data]") {
    constexpr int kClasses = 600;
    auto dataset = std::make_shared<Dataset>();
    dataset->name = "many";
    dataset->shape = kPixel;
    for (int label = 0; label < kClasses; ++label)
        dataset->class_names.push_back("class " + std::to_string(label));
    for (const bool is_training : {true, false}) {
        ImageSet& images = is_training ? dataset->training : dataset->test;
        for (int i = 0; i < 4 * kClasses; ++i)
            images.labels.push_back(static_cast<Label>(i % kClasses));
        images.pixels = std::vector<std::uint8_t>(images.labels.size());
    }
    DataConfig config;
    config.validation = FractionValidation{0.25};
    const RunData all = select_samples(dataset, config, 1);
    CHECK(all.validation.count() == kClasses);
    std::vector<int> seen(kClasses);
    for (const Label label : all.validation.labels) ++seen[label];
    CHECK(seen == std::vector<int>(kClasses, 1));

    config.classes = {"class 599", "class 87", "class 343"};  // 343 - 256 = 87
    const RunData some = select_samples(dataset, config, 1);
    CHECK(some.test.labels.size() == 12);
    for (std::size_t i = 0; i < some.test.labels.size(); ++i) {
        const std::array<Label, 3> original{599, 87, 343};
        CHECK(dataset->test.labels[some.test.indices[i]] == original[some.test.labels[i]]);
    }
}

TEST_CASE("the loss of a label beyond 256 is that of its logit", "[kernels]") {
    std::vector<float> logits(700, 0.0F);
    logits[513] = 3.0F;
    logits[513 - 256] = 1.0F;
    const std::vector<Label> label{513};
    std::vector<float> gradient(logits.size());
    const LossSum sum = softmax_cross_entropy(logits, label, 700, 1, gradient);
    const double total = 698.0 + std::exp(3.0) + std::exp(1.0);
    CHECK(sum.loss == Approx(std::log(total) - 3.0));
    CHECK(sum.correct == 1);
    CHECK(gradient[513] == Approx(std::exp(3.0) / total - 1.0));
    CHECK(gradient[257] == Approx(std::exp(1.0) / total));
}
