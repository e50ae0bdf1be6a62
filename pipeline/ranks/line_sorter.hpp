#pragma once

// The lines that come from mpirun and its ranks: progress to be shown, what the ranks tell of their
// end, and all else, which is mpirun's or a library's and goes to a log.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/progress/progress.hpp"
#include "storage/files/log_file.hpp"

namespace lockstep::pipeline {

// What the ranks have told.
struct RankWords {
    bool are_ready = false;  // they listen to signals
    std::optional<int> end;  // in order, with this exit code
    std::string lost;        // the first rank that another one found gone or stuck
    std::string error;       // by which a rank has told why it ends the job, before any was lost
    std::vector<std::string> others;  // the last lines that are not Lockstep's own
    std::string mpirun;               // those of before as well, up to a length
};

class LineSorter {
public:
    // Both must outlive it.
    LineSorter(ProgressDisplay& progress, std::filesystem::path log, RankWords& words);

    void take(std::string_view bytes);
    void finish();  // a last line without its end

private:
    void sort(std::string_view line);
    void take_error(std::string_view line);
    void keep(std::string_view line);
    void log(std::string_view line);

    ProgressDisplay& progress_;
    std::filesystem::path log_path_;
    std::optional<storage::LogFile> log_;
    bool is_log_lost_ = false;  // it could not be opened
    RankWords& words_;
    std::string pending_;  // a line whose end has not come yet
};

}  // namespace lockstep::pipeline
