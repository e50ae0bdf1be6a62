#include "pipeline/planning/experiment_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pipeline/experiment/spec_reader.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "storage/files/atomic_file.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::int64_t kLargestExperimentFile = 16 << 20;  // bytes

// A TOML string that means exactly `text`.
std::string toml_string(std::string_view text) {
    std::string result = "\"";
    for (const char byte : text) {
        if (byte == '"' || byte == '\\') result += '\\';
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) {
            result += fmt::format("\\u{:04x}", static_cast<unsigned char>(byte));
        } else {
            result += byte;
        }
    }
    return result + '"';
}

ReadOptions read_options(const SpecOptions& options) {
    ReadOptions read;
    read.overrides = options.settings;
    read.saved_classes = options.saved_classes;
    if (options.data) {
        const auto path = std::filesystem::absolute(*options.data);
        read.overrides.push_back("data.path=" + toml_string(path.string()));
    }
    return read;
}

bool is_named(const PlannedRun& planned, std::string_view name) {
    return planned.run.config.name == name || planned.run.base_name == name;
}

void check_name(const Plan& plan, const std::string& name) {
    std::vector<std::string_view> known;
    for (const PlannedRun& planned : plan.runs) {
        if (is_named(planned, name)) return;
        known.push_back(planned.run.base_name);
        known.push_back(planned.run.config.name);
    }
    throw UsageError(fmt::format("--only {}: experiment \"{}\" has no such run{}", name,
                                 plan.experiment, did_you_mean(name, known)));
}

}  // namespace

std::string read_experiment_file(const std::filesystem::path& path) {
    const storage::Bytes bytes = storage::read_file(path, kLargestExperimentFile);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Plan plan_experiment(const std::string& text, const SpecOptions& options, int ranks) {
    Plan planned = plan(read_spec(text, options.file, read_options(options)), ranks);
    for (const std::string& name : options.only) check_name(planned, name);
    if (options.only.empty()) return planned;
    std::erase_if(planned.runs, [&](const PlannedRun& run) {
        return std::none_of(options.only.begin(), options.only.end(),
                            [&](const std::string& name) { return is_named(run, name); });
    });
    return planned;
}

}  // namespace lockstep::pipeline
