#include "reports/words/test_set_text.hpp"

#include <set>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using Classes = std::vector<std::string>;

TEST_CASE("A test set reads as its data, classes and size") {
    CHECK(test_set_text({"cifar10", "d1", {"cat", "dog"}, 2000}) ==
          "cifar10, 2 classes (cat, dog), 2,000 test images");
    CHECK(test_set_text({"synthetic", "d1", {}, 200}) == "synthetic, 200 test images");
}

TEST_CASE("Two subsets of five classes are told apart by all their classes") {
    const TestSet animals{"cifar10", "d1", {"bird", "cat", "deer", "dog", "frog"}, 5000};
    const TestSet others{"cifar10", "d1", {"bird", "cat", "deer", "dog", "ship"}, 5000};
    const TestSetTexts text_of(std::set<TestSet>{animals, others});
    CHECK(text_of(animals) == "cifar10, 5 classes (bird, cat, deer, dog, frog), 5,000 test images");
    CHECK(text_of(others) == "cifar10, 5 classes (bird, cat, deer, dog, ship), 5,000 test images");
    CHECK(TestSetTexts(std::set<TestSet>{animals})(animals) ==
          "cifar10, 5 classes, 5,000 test images");
}

TEST_CASE("Sets of other data are told apart by the beginning of its digest") {
    const TestSet first{"synthetic", "20eb1b77026c6325", {"a", "b"}, 200};
    const TestSet second{"synthetic", "6ecab20c5f0a91d3", {"a", "b"}, 200};
    const TestSet unread{"synthetic", "", {"a", "b"}, 200};
    const TestSetTexts text_of(std::set<TestSet>{first, second, unread});
    CHECK(text_of(first) == "synthetic, 2 classes (a, b), 200 test images, data 20eb1b77");
    CHECK(text_of(second) == "synthetic, 2 classes (a, b), 200 test images, data 6ecab20c");
    CHECK(text_of(unread) == "synthetic, 2 classes (a, b), 200 test images, data not read yet");
}

}  // namespace
}  // namespace lockstep::reports
