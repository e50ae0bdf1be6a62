#include "pipeline/planning/experiment_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipeline/experiment/spec_reader.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/settings/spec_error.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "pipeline/settings/toml_tree.hpp"
#include "storage/files/atomic_file.hpp"

namespace lockstep::pipeline {
namespace {

ReadOptions read_options(const SpecOptions& options) {
    ReadOptions read;
    read.overrides = options.settings;
    read.saved_classes = options.saved_classes;
    if (options.data) {
        const auto path = std::filesystem::absolute(*options.data);
        read.overrides.push_back("data.path=" + toml_string(path_text(path)));
    }
    return read;
}

// Throws UsageError for a name that no run has.
void check_names(const Plan& plan, const std::set<std::string_view>& only) {
    std::set<std::string_view> known;
    for (const PlannedRun& planned : plan.runs) {
        known.insert({planned.run.base_name, planned.run.config.name});
    }
    for (const std::string_view name : only) {
        if (known.contains(name)) continue;
        const std::vector<std::string_view> names(known.begin(), known.end());
        throw UsageError(fmt::format("--only {}: experiment \"{}\" has no such run{}", name,
                                     plan.experiment, did_you_mean(name, names)));
    }
}

}  // namespace

std::string read_experiment_file(const std::filesystem::path& path) {
    std::error_code unreadable;  // read_file() will say so
    const std::uintmax_t size = std::filesystem::file_size(path, unreadable);
    if (!unreadable && size > kLargestFile) {
        throw SpecError({{path.string(),
                          fmt::format("the file has {} bytes; an experiment file has at most {}",
                                      size, kLargestFile),
                          {}}});
    }
    const storage::Bytes bytes = storage::read_file(path, kLargestFile);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Plan plan_experiment(const std::string& text, const SpecOptions& options, int ranks) {
    Plan planned = plan(read_spec(text, options.file, read_options(options)), ranks);
    if (options.only.empty()) return planned;
    const std::set<std::string_view> only(options.only.begin(), options.only.end());
    check_names(planned, only);
    std::erase_if(planned.runs, [&](const PlannedRun& run) {
        return !only.contains(run.run.config.name) && !only.contains(run.run.base_name);
    });
    return planned;
}

}  // namespace lockstep::pipeline
