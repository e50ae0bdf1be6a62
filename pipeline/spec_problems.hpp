#pragma once

// Collects what is wrong with an experiment file, so that all of it can be said at once.

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/spec.hpp"

namespace lockstep::pipeline {

// Problems in the order they were found. One that is found again (several runs inherit one bad
// value) is kept once.
class Problems {
public:
    void add(std::string place, std::string message, std::string detail = {});
    bool empty() const { return problems_.empty(); }
    // How often add() was called: tells whether a piece of the file was read without problems.
    std::size_t found() const { return found_; }
    // Throws SpecError with all problems, if there are any.
    void throw_if_any() const;

private:
    std::vector<SpecProblem> problems_;
    std::size_t found_ = 0;
    std::set<std::pair<std::string, std::string>> known_;  // place, message
};

}  // namespace lockstep::pipeline
