#pragma once

// What is wrong with an experiment file, as a reader of it is told.

#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep::pipeline {

// One thing wrong with an experiment file.
struct SpecProblem {
    std::string place;    // "experiments/my.toml:14:1", or "--set train.epoch=3"
    std::string message;  // one line, with a suggestion where there is one
    std::string detail;   // lines to show below, may be empty: the shape table up to a bad layer
};
std::string to_string(const SpecProblem& problem);  // "place: message", then the detail's lines

// The experiment file is wrong. what() lists all problems, one below the other.
class SpecError : public std::runtime_error {
public:
    explicit SpecError(std::vector<SpecProblem> problems);
    const std::vector<SpecProblem>& problems() const { return problems_; }

private:
    std::vector<SpecProblem> problems_;
};

}  // namespace lockstep::pipeline
