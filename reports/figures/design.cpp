#include "reports/figures/design.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "storage/files/sha256.hpp"

namespace lockstep::reports {
namespace {

// Changes when the lines do, so that an old digest never means something else.
constexpr std::string_view kHead = "lockstep-design 1\n";
constexpr std::string_view kInitialWeights = "train.initial_weights";

// Settings that cannot change a result, and the seed.
bool is_outside(std::string_view key) {
    constexpr std::array<std::string_view, 8> kKeys{
        "schema", "name",      "title",      "notes",
        "source", "data.path", "train.seed", "train.record_steps"};
    return std::ranges::find(kKeys, key) != kKeys.end() || key == "parallel.ranks_per_run" ||
           key == "checkpoint.every_minutes" || key.starts_with("expect.") ||
           key.starts_with("experiment.");
}

// Validation on images that are cut off trains on fewer.
bool chooses_an_epoch(const ConfigValue& each) {
    if (each.key == "data.validation") return each.value == "\"test\"" || each.value == "\"none\"";
    return each.key.starts_with("train.early_stopping") || each.key.starts_with("checkpoint");
}

std::string line_of(const ConfigValue& each, std::string_view initial_weights_sha256) {
    if (each.key == "checkpoint.monitor" && each.value == "\"none\"")
        return "checkpoint=\"none\"\n";
    if (each.key != kInitialWeights || initial_weights_sha256.empty()) {
        return each.key + '=' + each.value + '\n';
    }
    return std::string(kInitialWeights) + "_sha256=" + std::string(initial_weights_sha256) + '\n';
}

// How much there is of a run.
int order_of(storage::RunState state) {
    switch (state) {
        case storage::RunState::finished:
            return 0;
        case storage::RunState::running:
            return 1;
        case storage::RunState::interrupted:
            return 2;
        case storage::RunState::failed:
            return 3;
        case storage::RunState::queued:
            break;
    }
    return 4;
}

}  // namespace

bool changes_results(std::string_view key) { return !is_outside(key); }

std::string settings_digest(std::string_view lines) {
    return storage::sha256_hex(std::string(kHead) + std::string(lines));
}

std::string settings_lines(const std::vector<ConfigValue>& values,
                           std::string_view initial_weights_sha256) {
    std::string lines;
    for (const ConfigValue& each : values) {
        if (!is_outside(each.key)) lines += line_of(each, initial_weights_sha256);
    }
    return lines;
}

std::string unselected_settings(const std::vector<ConfigValue>& values,
                                std::string_view initial_weights_sha256) {
    std::vector<ConfigValue> kept = values;
    std::erase_if(kept, chooses_an_epoch);
    return settings_digest(settings_lines(kept, initial_weights_sha256));
}

Design design_of(const storage::RunRow& run) {
    if (!run.design_digest.empty()) return {run.design_digest, run.data_digest};
    const auto values = config_values(run.effective_config);
    return {settings_digest(settings_lines(values, run.initial_weights_sha256)), run.data_digest};
}

std::string name_without_seed(std::string_view name, std::int64_t seed) {
    const std::string end = "-seed" + std::to_string(seed);
    if (name.size() > end.size() && name.ends_with(end)) name.remove_suffix(end.size());
    return std::string(name);
}

std::string design_name_of(const storage::RunRow& run) {
    return run.design_name.empty() ? name_without_seed(run.name, run.seed) : run.design_name;
}

bool is_same_training(const storage::RunRow& first, const storage::RunRow& second) {
    const bool is_one_data = first.data_digest == second.data_digest || first.data_digest.empty() ||
                             second.data_digest.empty();
    return !first.config_digest.empty() && first.config_digest == second.config_digest &&
           is_one_data;
}

bool counts_before(const storage::RunRow& first, const storage::RunRow& second) {
    return std::tuple(order_of(first.state), std::string_view(first.created_utc),
                      std::string_view(first.run)) <
           std::tuple(order_of(second.state), std::string_view(second.created_utc),
                      std::string_view(second.run));
}

}  // namespace lockstep::reports
