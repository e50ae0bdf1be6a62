#include "reports/words/test_set_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>
#include <vector>

#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kMostNamed = 4;    // classes; more make the line too long to read
constexpr std::size_t kShownDigits = 8;  // of a digest

std::string text_of(const TestSet& set, std::size_t most_named) {
    std::string names;
    if (!set.classes.empty() && set.classes.size() <= most_named) {
        names = fmt::format(" ({})", fmt::join(set.classes, ", "));
    }
    const std::string count =
        set.classes.empty() ? "" : fmt::format(", {} classes", set.classes.size());
    return fmt::format("{}{}{}, {} test images", set.dataset, count, names, thousands(set.images));
}

std::string data_text(const TestSet& set) {
    return set.data_digest.empty() ? "data not read yet"
                                   : "data " + set.data_digest.substr(0, kShownDigits);
}

}  // namespace

std::string synthetic_text(bool are_all) {
    return are_all ? "The images are synthetic" : "Some images are synthetic";
}

std::string test_set_text(const TestSet& set) { return text_of(set, kMostNamed); }

TestSetTexts::TestSetTexts(const std::set<TestSet>& sets) {
    std::map<std::string, std::vector<TestSet>> alike;
    for (const TestSet& set : sets) alike[test_set_text(set)].push_back(set);
    for (const auto& [text, group] : alike) {
        std::set<std::vector<std::string>> classes;
        std::set<std::string> data;
        for (const TestSet& set : group) {
            classes.insert(set.classes);
            data.insert(set.data_digest);
        }
        for (const TestSet& set : group) {
            std::string& words = texts_[set];
            words = classes.size() > 1 ? text_of(set, set.classes.size()) : text;
            if (data.size() > 1) words += ", " + data_text(set);
        }
    }
}

std::string TestSetTexts::operator()(const TestSet& set) const {
    const auto found = texts_.find(set);
    return found == texts_.end() ? test_set_text(set) : found->second;
}

TestSetTexts test_set_texts(const std::vector<ArchitectureFigures>& entries) {
    std::set<TestSet> sets;
    for (const ArchitectureFigures& entry : entries) sets.insert(entry.test_set);
    return TestSetTexts(sets);
}

}  // namespace lockstep::reports
