#include "reports/figures/pair_tests.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace lockstep::reports {
namespace {

using Experiments = std::set<std::string>;
using Places = std::pair<std::size_t, std::size_t>;  // among all, the lesser first

struct Tested {
    Places places;
    std::optional<double> p_value{};
    std::optional<double> adjusted_p_value{};
};

struct KnownTest {
    double p_value = 1.0;
    const TestSet* test_set = nullptr;  // of an entry, which outlives it
};
using Tests = std::map<Places, KnownTest>;

bool is_tested(const ArchitectureFigures& entry) {
    return !entry.is_preliminary && entry.test_accuracy.estimate.count > 1;
}

std::optional<WelchTest> test_between(const ArchitectureFigures& a, const ArchitectureFigures& b) {
    if (a.test_set != b.test_set || !is_tested(a) || !is_tested(b)) return std::nullopt;
    return welch_test(a.test_accuracy.estimate, b.test_accuracy.estimate);
}

std::vector<PairTest> tests_between(std::span<const ArchitectureFigures> entries) {
    std::vector<PairTest> tests;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        for (std::size_t j = i + 1; j < entries.size(); ++j) {
            if (const auto welch = test_between(entries[i], entries[j]))
                tests.push_back({.first = i, .second = j, .welch = *welch});
        }
    }
    return tests;
}

bool has_run(const ArchitectureFigures& entry, std::size_t run) {
    return std::ranges::find(entry.runs, run) != entry.runs.end() ||
           std::ranges::find(entry.repeats, run, &RepeatedRun::run) != entry.repeats.end();
}

std::vector<std::size_t> places_among(std::span<const ArchitectureFigures> shown,
                                      std::span<const ArchitectureFigures> all) {
    std::vector<std::size_t> places;
    for (const ArchitectureFigures& entry : shown) {
        const auto found = std::ranges::find_if(
            all, [&](const auto& each) { return has_run(each, entry.runs.front()); });
        places.push_back(static_cast<std::size_t>(found - all.begin()));
    }
    return places;
}

// Those that the two share, else those of either.
Experiments experiments_of(const ArchitectureFigures& a, const ArchitectureFigures& b) {
    Experiments shared;
    std::ranges::set_intersection(a.experiments, b.experiments,
                                  std::inserter(shared, shared.end()));
    if (!shared.empty()) return shared;
    shared = a.experiments;
    shared.insert(b.experiments.begin(), b.experiments.end());
    return shared;
}

bool stands_in(const ArchitectureFigures& entry, const Experiments& experiments) {
    return std::ranges::any_of(entry.experiments,
                               [&](const auto& each) { return experiments.contains(each); });
}

// The pairs of a test set's architectures in some experiments, in order, corrected for each other.
class Families {
public:
    Families(std::span<const ArchitectureFigures> all, Tests tests)
        : all_(all), tests_(std::move(tests)) {}

    const std::vector<Tested>& family_of(const Places& pair) {
        const Experiments experiments = experiments_of(all_[pair.first], all_[pair.second]);
        const TestSet& test_set = *tests_.at(pair).test_set;
        const auto [found, is_new] = known_.try_emplace({test_set, experiments});
        if (!is_new) return found->second;
        for (const auto& [places, test] : tests_) {
            const bool is_in = *test.test_set == test_set &&
                               stands_in(all_[places.first], experiments) &&
                               stands_in(all_[places.second], experiments);
            if (is_in) found->second.push_back({places, test.p_value, {}});
        }
        correct_for_many(found->second);
        return found->second;
    }

private:
    std::span<const ArchitectureFigures> all_;
    Tests tests_;
    std::map<std::pair<TestSet, Experiments>, std::vector<Tested>> known_;
};

}  // namespace

std::vector<PairTest> pair_tests(std::span<const ArchitectureFigures> shown,
                                 std::span<const ArchitectureFigures> all) {
    const std::vector<std::size_t> places = places_among(shown, all);
    const auto places_of = [&](const PairTest& test) {
        return Places(std::minmax(places[test.first], places[test.second]));
    };
    Tests tests;
    for (const PairTest& test : tests_between(all))
        tests[{test.first, test.second}] = {test.welch.p_value, &all[test.first].test_set};
    std::vector<PairTest> pairs = tests_between(shown);
    for (const PairTest& test : pairs)
        tests[places_of(test)] = {test.welch.p_value, &shown[test.first].test_set};
    Families families(all, std::move(tests));
    for (PairTest& test : pairs) {
        const std::vector<Tested>& family = families.family_of(places_of(test));
        const auto own = std::ranges::lower_bound(family, places_of(test), {}, &Tested::places);
        test.adjusted_p_value = *own->adjusted_p_value;
        test.family = family.size();
    }
    return pairs;
}

const PairTest* test_of(const std::vector<PairTest>& tests, std::size_t a, std::size_t b) {
    const std::pair wanted(std::min(a, b), std::max(a, b));
    const auto place = [](const PairTest& test) { return std::pair(test.first, test.second); };
    const auto found = std::ranges::lower_bound(tests, wanted, {}, place);
    return found != tests.end() && place(*found) == wanted ? &*found : nullptr;
}

}  // namespace lockstep::reports
