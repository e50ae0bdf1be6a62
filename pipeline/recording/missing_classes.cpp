#include "pipeline/recording/missing_classes.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <vector>

namespace lockstep::pipeline {
namespace {

// ", no sample of cat, dog validates"
std::string missing_in(const trainer::SampleSet& samples, const std::vector<std::string>& names,
                       const char* does) {
    if (samples.labels.empty()) return {};
    std::vector<bool> is_there(names.size(), false);
    for (const std::size_t label : samples.labels) is_there.at(label) = true;
    std::string missing;
    for (std::size_t label = 0; label < names.size(); ++label)
        if (!is_there[label]) missing += (missing.empty() ? "" : ", ") + names[label];
    return missing.empty() ? "" : fmt::format(", no sample of {} {}", missing, does);
}

}  // namespace

std::string missing_classes(const trainer::RunData& data) {
    const std::string text = missing_in(data.training, data.class_names, "trains") +
                             missing_in(data.validation, data.class_names, "validates") +
                             missing_in(data.test, data.class_names, "tests");
    return text.empty() ? "" : text.substr(2);
}

}  // namespace lockstep::pipeline
