#pragma once

// How far an epoch that goes on has come, as a run's log.txt tells it: `Epoch 3/12`, and below it a
// line like `310/1563 - 10s - ...` now and then.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace lockstep::pipeline {

struct LogProgress {
    int epoch = 0;     // from 1
    std::string line;  // "310/1563 - 10s - ...", as it stands in the log

    bool operator==(const LogProgress&) const = default;
};

// The last such line of the end of a log, which may begin and end in the middle of a line. Nothing
// if the last epoch it names has no line yet, or if something else was said since.
std::optional<LogProgress> log_progress(std::string_view end_of_log);

// How long ago a training wrote into its log; it does after a step, every 5 s or as seldom as steps
// are. By the clocks of this machine and of the file's; nothing where there is no log.
std::optional<std::chrono::seconds> time_since_step(const std::filesystem::path& log);

// "last step 12 s ago", from a minute on "no step for 7 min"; "" for less than 10 s, which is no
// news.
std::string step_age_text(std::chrono::seconds age);
inline constexpr std::chrono::seconds kLongWithoutStep{60};

}  // namespace lockstep::pipeline
