#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/test_set.hpp"

namespace lockstep::reports {

// The data set of images that are computed, and what its figures are worth.
inline constexpr std::string_view kSynthetic = "synthetic";
inline constexpr const char* kSyntheticTells =
    ": such figures show that everything runs, and nothing about networks";
std::string synthetic_text(bool are_all);  // "The images are synthetic"

// "cifar10, 3 classes (airplane, automobile, bird), 3,000 test images". Sets that differ may read
// alike: compare the sets themselves, and print several beside each other with TestSetTexts.
std::string test_set_text(const TestSet& set);

// Test sets in words, where the words of each are its own: those that would read alike are told
// apart by all their classes, or by the beginning of their data's digest.
class TestSetTexts {
public:
    explicit TestSetTexts(const std::set<TestSet>& sets);
    std::string operator()(const TestSet& set) const;  // of another set: test_set_text()

private:
    std::map<TestSet, std::string> texts_;
};

TestSetTexts test_set_texts(const std::vector<ArchitectureFigures>& entries);

}  // namespace lockstep::reports
