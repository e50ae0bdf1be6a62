#pragma once

// The names of an experiment's runs.

#include <map>
#include <string>
#include <vector>

#include "pipeline/settings/problems.hpp"

namespace lockstep::pipeline {

// "base-part1-part2", and behind them the part of the seed, which may be empty. A name of more than
// 64 letters is shortened: the first parts that fit, whole, and eight digits of a digest of the
// rest. So it depends on this run alone, and never shows a part of a value.
std::string run_name(const std::string& base, const std::vector<std::string>& parts,
                     const std::string& seed_part);

// The names of an experiment, each once; those that differ in case only would share a folder on
// some file systems.
class RunNames {
public:
    explicit RunNames(Problems& problems) : problems_(problems) {}

    // Whether the name was still free; if it was not, that is a problem at `origin`.
    bool take(const std::string& name, const Origin& origin);

private:
    Problems& problems_;
    std::map<std::string, std::string> taken_;  // in lower case -> as written
};

}  // namespace lockstep::pipeline
