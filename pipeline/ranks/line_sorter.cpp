#include "pipeline/ranks/line_sorter.hpp"

#include <algorithm>
#include <utility>

#include "pipeline/ranks/rank_lines.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLastWords = 12;     // lines kept to explain an end nobody told
constexpr std::size_t kMostText = 100000;  // bytes of mpirun's in which a cause is looked for

}  // namespace

LineSorter::LineSorter(ProgressDisplay& progress, std::filesystem::path log, RankWords& words)
    : progress_(progress), log_path_(std::move(log)), words_(words) {}

void LineSorter::take(std::string_view bytes) {
    pending_ += bytes;
    std::size_t begin = 0;
    for (std::size_t end; (end = pending_.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
        sort(std::string_view(pending_).substr(begin, end - begin));
    }
    pending_.erase(0, begin);
}

void LineSorter::finish() {
    if (!pending_.empty()) sort(pending_);
    pending_.clear();
}

// Open MPI 5 ends a message of its own with a zero byte, which then stands before the next line.
void LineSorter::sort(std::string_view line) {
    line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
    if (line.empty()) return;
    if (is_ready_line(line)) {
        words_.are_ready = true;
    } else if (const auto end = end_in(line)) {
        words_.end = end;
    } else if (const auto event = decode_progress(line)) {
        progress_.show(*event);
    } else if (line.starts_with(ProgressSink::kErrorPrefix)) {
        take_error(line);
    } else {
        keep(line);
    }
}

// A rank's own line, not by way of progress: but for warnings its last one. Ranks that lose
// another one fail by that, so what they tell later is no cause.
void LineSorter::take_error(std::string_view line) {
    if (auto lost = lost_in(line)) {
        if (words_.lost.empty()) words_.lost = std::move(*lost);
        return keep(line);  // told with the end
    }
    const bool is_warning = line.starts_with("lockstep: warning");
    if (!is_warning && !words_.lost.empty()) return keep(line);
    if (!is_warning && words_.error.empty())
        words_.error = line.substr(ProgressSink::kErrorPrefix.size());
    progress_.show({.kind = ProgressEvent::Kind::message, .text = std::string(line)});
}

void LineSorter::keep(std::string_view line) {
    log(line);
    words_.others.emplace_back(line);
    if (words_.others.size() > kLastWords) words_.others.erase(words_.others.begin());
    if (words_.mpirun.size() < kMostText) words_.mpirun.append(line).append("\n");
}

// A log that cannot be written is no reason to stop.
void LineSorter::log(std::string_view line) {
    if (is_log_lost_) return;
    try {
        if (!log_) log_.emplace(log_path_);
        log_->write_line(line);
    } catch (const storage::StorageError&) {
        is_log_lost_ = true;
    }
}

}  // namespace lockstep::pipeline
