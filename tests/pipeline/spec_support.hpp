#pragma once

// Small verbs for tests of experiment files.

#include <optional>
#include <string>
#include <vector>

#include "pipeline/experiment/spec_reader.hpp"
#include "pipeline/settings/spec_error.hpp"

namespace lockstep::tests {

inline constexpr const char* kHead = "[experiment]\nname = \"test\"\n";
inline constexpr const char* kLayers =
    "layers = [{ type = \"flatten\" }, { type = \"dense\", units = 10 }]\n";

// A run that is right, with further lines of its own.
inline std::string run_text(const std::string& name = "a", const std::string& lines = "") {
    return "[[run]]\nname = \"" + name + "\"\n" + kLayers + lines;
}

// A file named exp.toml, without any environment variables.
inline pipeline::ExperimentSpec read(const std::string& text,
                                     const std::vector<std::string>& overrides = {}) {
    const auto no_variables = [](const std::string&) { return std::optional<std::string>(); };
    return pipeline::read_spec(text, "exp.toml", {overrides, no_variables});
}

// All problems, each as it is printed; empty if the file is right.
inline std::vector<std::string> problems_in(const std::string& text,
                                            const std::vector<std::string>& overrides = {}) {
    std::vector<std::string> lines;
    try {
        read(text, overrides);
    } catch (const pipeline::SpecError& error) {
        for (const auto& problem : error.problems()) lines.push_back(to_string(problem));
    }
    return lines;
}

// Their one problem; all of them joined if there are more.
inline std::string problem_in(const std::string& text,
                              const std::vector<std::string>& overrides = {}) {
    std::string joined;
    for (const std::string& line : problems_in(text, overrides)) {
        if (!joined.empty()) joined.append(" AND ");
        joined.append(line);
    }
    return joined;
}

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace lockstep::tests
