#pragma once

// Starts the ranks again when they were lost: a rank that crashed, was killed or got stuck, a host
// that no longer answers. What a rank tells as its own error would come again, and ends the job.

#include <filesystem>

#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/launcher.hpp"

namespace lockstep::pipeline {

inline constexpr int kDefaultRestarts = 3;

// Trains by as many starts of the ranks as it takes, `max_restarts` + 1 at most: 1, 2, 4, ... s lie
// between them. Gives up before when two restarts on end have brought no checkpoint further; a wish
// to stop ends it. Each loss is told, and written down with the attempts it ended.
// Returns the exit code. Throws as launch() does.
int train_with_restarts(const Launch& job, const std::filesystem::path& store, int max_restarts,
                        ProgressDisplay& progress);

}  // namespace lockstep::pipeline
