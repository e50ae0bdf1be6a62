#include "pipeline/planning/equal_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "pipeline/settings/spec_error.hpp"
#include "trainer/data/dataset_kind.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostProblems = 20;  // nobody reads more

std::string data_folder(const RunSpec& run) {
    const trainer::DataConfig& data = run.config.data;
    return trainer::dataset_kind(data.dataset).has_files ? data.path.string() : std::string();
}

bool is_setting(const std::string& key) {
    return key.starts_with("train.") || key.starts_with("parallel.") || key.starts_with("data.");
}

// What two runs of one digest were told differently, though it changes no result.
std::string difference(const EffectiveConfig& a, const EffectiveConfig& b) {
    std::vector<std::string> keys;
    for (const EffectiveValue& value : a.values) {
        const bool is_equal =
            std::any_of(b.values.begin(), b.values.end(), [&](const EffectiveValue& other) {
                return std::tie(other.key, other.value) == std::tie(value.key, value.value);
            });
        if (is_setting(value.key) && !is_equal) keys.push_back(value.key);
    }
    if (keys.empty()) return "all their settings are equal";
    return fmt::format("they differ in {} alone, which changes no result", fmt::join(keys, ", "));
}

SpecProblem problem_of(const PlannedRun& first, const PlannedRun& second) {
    return {second.run.place,
            fmt::format("the runs {} and {} would train the same: {}; drop one of them, or give it "
                        "another seed",
                        first.run.config.name, second.run.config.name,
                        difference(first.effective, second.effective)),
            {}};
}

}  // namespace

void refuse_equal_runs(std::span<const PlannedRun> runs) {
    std::map<std::pair<std::string, std::string>, const PlannedRun*> known;
    std::vector<SpecProblem> problems;
    for (const PlannedRun& run : runs) {
        const auto [entry, is_new] =
            known.try_emplace({run.effective.digest, data_folder(run.run)}, &run);
        if (!is_new && problems.size() < kMostProblems) {
            problems.push_back(problem_of(*entry->second, run));
        }
    }
    if (!problems.empty()) throw SpecError(std::move(problems));
}

}  // namespace lockstep::pipeline
