#include "reports/words/entry_labels.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "reports/words/setting_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kLongName = 20;  // letters
constexpr std::size_t kMostSettings = 4;
constexpr std::size_t kValueLetters = 16;
constexpr const char* kBetween = " · ";

std::vector<std::string> names_of(const ExperimentReport& report) {
    std::vector<std::string> names;
    for (const ArchitectureFigures& entry : report.entries) names.push_back(entry.name);
    return names;
}

std::size_t compared(const std::vector<std::string>& names) {
    return std::min(names.size(), kComparedArchitectures);
}

std::string joined(const Sweep& sweep, const auto& text_of) {
    std::string text;
    for (const SweptSetting& setting : sweep.settings) {
        text += (text.empty() ? "" : kBetween) + text_of(setting);
    }
    return text;
}

// No labels where values do not tell the compared ones apart.
EntryLabels by_values(const ExperimentReport& report, const Sweep& sweep) {
    if (sweep.settings.size() < 2 || sweep.settings.size() > kMostSettings) return {};
    EntryLabels found;
    for (const ArchitectureFigures& entry : report.entries) {
        found.labels.push_back(joined(sweep, [&](const SweptSetting& setting) {
            return shortened(value_text(setting.values[entry.runs.front()]), kValueLetters);
        }));
    }
    const auto end = found.labels.begin() + static_cast<std::ptrdiff_t>(compared(found.labels));
    if (std::set<std::string>(found.labels.begin(), end).size() != compared(found.labels)) {
        return {};
    }
    found.note = "Architectures are told by " +
                 joined(sweep, [](const SweptSetting& setting) { return setting.name.name; }) + '.';
    return found;
}

// Up to the last '-' or '_' that all have in common.
std::size_t common_beginning(const std::vector<std::string>& names) {
    const auto [first, last] = std::ranges::minmax(names);
    const auto differ = std::ranges::mismatch(first, last).in1;
    const std::size_t same = static_cast<std::size_t>(differ - first.begin());
    const std::size_t end = std::string_view(first).substr(0, same).find_last_of("-_");
    return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

EntryLabels entry_labels(const ExperimentReport& report, const Sweep& sweep) {
    EntryLabels plain{names_of(report)};
    const bool has_long = std::ranges::any_of(
        plain.labels, [](const std::string& name) { return name.size() > kLongName; });
    if (!has_long || plain.labels.size() < 2) return plain;
    EntryLabels values = by_values(report, sweep);
    if (!values.labels.empty()) return values;
    const std::size_t begin = common_beginning(plain.labels);
    if (begin == 0) return plain;
    plain.note = "All names begin with “" + plain.labels.front().substr(0, begin) + "”.";
    for (std::string& name : plain.labels) name.erase(0, begin);
    return plain;
}

}  // namespace lockstep::reports
