#pragma once

// The experiment as it was read when the job began, for every attempt of its ranks: whoever edits
// the file meanwhile means the next job.

#include <filesystem>
#include <string>

namespace lockstep::pipeline {

// Of the process that starts the ranks: a temporary file in the store, which the ranks of all hosts
// see, until it goes. Where it cannot be written the ranks read the experiment file itself.
class HandedExperiment {
public:
    HandedExperiment(const std::filesystem::path& store, const std::string& text);
    ~HandedExperiment();
    HandedExperiment(const HandedExperiment&) = delete;
    HandedExperiment& operator=(const HandedExperiment&) = delete;

private:
    std::filesystem::path file_;
};

// In a rank that such a process has started: that file. Else, and without it, `file`.
std::filesystem::path handed_experiment(const std::filesystem::path& file);

}  // namespace lockstep::pipeline
