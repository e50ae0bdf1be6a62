#include "reports/figures/pair_tests.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace lockstep::reports {
namespace {

using Experiments = std::set<std::string>;

struct Tested {
    std::size_t first = 0;  // places among all
    std::size_t second = 0;
    TestSet test_set{};
    Experiments experiments{};
    WelchTest welch{};
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};
};

bool is_tested(const ArchitectureFigures& entry) {
    return !entry.is_preliminary && entry.test_accuracy.estimate.count > 1;
}

std::vector<Tested> all_tests(const std::vector<const ArchitectureFigures*>& all) {
    std::vector<Tested> tests;
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i + 1; j < all.size(); ++j) {
            const ArchitectureFigures& a = *all[i];
            const ArchitectureFigures& b = *all[j];
            if (a.test_set != b.test_set || !is_tested(a) || !is_tested(b)) continue;
            const auto welch = welch_test(a.test_accuracy.estimate, b.test_accuracy.estimate);
            if (!welch) continue;
            Experiments experiments = a.experiments;
            experiments.insert(b.experiments.begin(), b.experiments.end());
            tests.push_back({i, j, a.test_set, std::move(experiments), *welch, welch->p_value, {}});
        }
    }
    return tests;
}

// By test set and experiments.
using Families = std::map<std::pair<TestSet, Experiments>, std::vector<Tested>>;

Families families_of(const std::vector<Tested>& tests, std::size_t shown) {
    Families families;
    for (const Tested& test : tests) {
        if (test.second < shown) families[{test.test_set, test.experiments}];
    }
    for (auto& [key, family] : families) {
        for (const Tested& test : tests) {
            const bool is_in =
                test.test_set == key.first && std::ranges::includes(key.second, test.experiments);
            if (is_in) family.push_back(test);
        }
        correct_for_many(family);
    }
    return families;
}

}  // namespace

std::vector<PairTest> pair_tests(std::span<const ArchitectureFigures> entries,
                                 std::span<const ArchitectureFigures> beside) {
    std::vector<const ArchitectureFigures*> all;
    for (const auto& part : {entries, beside}) {
        for (const ArchitectureFigures& entry : part) all.push_back(&entry);
    }
    std::vector<PairTest> shown;
    for (const auto& [key, family] : families_of(all_tests(all), entries.size())) {
        for (const Tested& test : family) {
            if (test.second >= entries.size() || test.experiments != key.second) continue;
            shown.push_back(
                {test.first, test.second, test.welch, *test.adjusted_p_value, family.size()});
        }
    }
    std::ranges::sort(shown, {},
                      [](const PairTest& test) { return std::pair(test.first, test.second); });
    return shown;
}

const PairTest* test_of(const std::vector<PairTest>& tests, std::size_t a, std::size_t b) {
    const std::pair wanted(std::min(a, b), std::max(a, b));
    const auto place = [](const PairTest& test) { return std::pair(test.first, test.second); };
    const auto found = std::ranges::lower_bound(tests, wanted, {}, place);
    return found != tests.end() && place(*found) == wanted ? &*found : nullptr;
}

}  // namespace lockstep::reports
