#include "reports/figures/printed_figure.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace lockstep::reports {
namespace {

// The last one of a list, or the number itself.
std::optional<double> last_number(const nlohmann::json& value) {
    const nlohmann::json& last = value.is_array() && !value.empty() ? value.back() : value;
    if (!last.is_number()) return std::nullopt;
    return last.get<double>();
}

}  // namespace

std::optional<PrintedFigure> printed_figure(const std::string& expected_json) {
    const auto expected = nlohmann::json::parse(expected_json, nullptr, false);
    if (!expected.is_object()) return std::nullopt;
    constexpr std::array kByWorth{"test_accuracy", "best_val_accuracy", "val_accuracy", "accuracy"};
    for (const char* name : kByWorth) {
        if (!expected.contains(name)) continue;
        if (const auto value = last_number(expected.at(name))) return PrintedFigure{*value, name};
    }
    return std::nullopt;
}

}  // namespace lockstep::reports
