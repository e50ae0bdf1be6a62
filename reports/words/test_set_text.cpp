#include "reports/words/test_set_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>

#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kMostNamed = 4;  // classes; more make the line too long to read

}  // namespace

std::string test_set_text(const TestSet& set) {
    std::string names;
    if (!set.classes.empty() && set.classes.size() <= kMostNamed) {
        names = fmt::format(" ({})", fmt::join(set.classes, ", "));
    }
    const std::string count =
        set.classes.empty() ? "" : fmt::format(", {} classes", set.classes.size());
    return fmt::format("{}{}{}, {} test images", set.dataset, count, names, thousands(set.images));
}

}  // namespace lockstep::reports
