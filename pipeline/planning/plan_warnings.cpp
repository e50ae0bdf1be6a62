#include "pipeline/planning/plan_warnings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace lockstep::pipeline {
namespace {

struct SharedWarning {
    std::string text;
    std::vector<std::string> runs;
};

std::vector<SharedWarning> shared_warnings(const Plan& plan) {
    std::vector<SharedWarning> warnings;
    for (const PlannedRun& planned : plan.runs) {
        for (const std::string& text : planned.warnings) {
            auto found = std::ranges::find(warnings, text, &SharedWarning::text);
            if (found == warnings.end()) found = warnings.insert(found, {text, {}});
            found->runs.push_back(planned.id);
        }
    }
    return warnings;
}

}  // namespace

std::vector<std::string> plan_warnings(const Plan& plan) {
    std::vector<std::string> lines = plan.notes;
    for (const auto& [text, runs] : shared_warnings(plan)) {
        const std::string more =
            runs.size() > 1 ? fmt::format(" (and {} more)", runs.size() - 1) : "";
        lines.push_back(fmt::format("{}{} {}", runs.front(), more, text));
    }
    return lines;
}

}  // namespace lockstep::pipeline
