#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/verbs/live_line.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// Prints the epochs of a run as they end. It looks into the database and log.txt when it is asked
// to, and holds no lock between two looks.
class RunFollower {
public:
    // One among several says its name in each line, and begins with the epoch that goes on. The
    // line must outlive it.
    RunFollower(std::filesystem::path store, std::string run, bool is_among_several,
                LiveLine& live);

    // Prints what is new; true when nothing more will come.
    bool look();
    // How far it was when last looked at: "Epoch 3/12 310/1563 - 10s - ..."; "" where that is no
    // news.
    const std::string& progress() const { return progress_; }
    const std::string& name() const { return name_; }

private:
    using Clock = std::chrono::steady_clock;
    void print_epochs(const storage::RunDetails& now);
    void note_progress(const storage::RunDetails& now);
    void tell_silence(std::chrono::seconds age);
    bool is_abandoned(const storage::RunDetails& now);
    std::string end_text(const storage::RunDetails& now) const;

    std::filesystem::path store_;
    std::string run_;
    std::filesystem::path log_;
    bool is_among_several_;
    LiveLine& live_;
    std::string name_;
    std::string progress_;
    int printed_ = 0;  // the last epoch
    bool has_looked_ = false;
    std::optional<Clock::time_point> gone_since_;
    std::chrono::seconds told_silence_{0};
};

}  // namespace lockstep::pipeline
