#include "pipeline/spec_problems.hpp"

#include <utility>

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostProblems = 200;  // that are listed; nobody reads more

std::string joined(const std::vector<SpecProblem>& problems) {
    std::string text;
    for (const SpecProblem& problem : problems) {
        if (!text.empty()) text += '\n';
        text += to_string(problem);
    }
    return text;
}

}  // namespace

std::string to_string(const SpecProblem& problem) {
    std::string text = problem.place + ": " + problem.message;
    if (!problem.detail.empty()) text += '\n' + problem.detail;
    return text;
}

SpecError::SpecError(std::vector<SpecProblem> problems)
    : std::runtime_error(joined(problems)), problems_(std::move(problems)) {}

void Problems::add(std::string place, std::string message, std::string detail) {
    ++found_;
    if (!known_.emplace(place, message).second) return;
    if (problems_.size() == kMostProblems) return;
    problems_.push_back({std::move(place), std::move(message), std::move(detail)});
}

void Problems::throw_if_any() const {
    if (problems_.empty()) return;
    std::vector<SpecProblem> listed = problems_;
    if (known_.size() > listed.size()) {
        listed.push_back(
            {listed.back().place,
             "and " + std::to_string(known_.size() - listed.size()) + " further problems",
             {}});
    }
    throw SpecError(std::move(listed));
}

}  // namespace lockstep::pipeline
