#include "pipeline/verbs/run_follower.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include "pipeline/progress/log_progress.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunState;

// How long a dead training may take to be started again before its follower gives up.
constexpr std::chrono::seconds kRestartGrace{20};
constexpr std::streamoff kEndOfLog = 4096;  // bytes: some lines

std::string end_of_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const std::streamoff size = file.tellg();
    if (!file || size <= 0) return {};
    const std::streamoff length = std::min(size, kEndOfLog);
    std::string text(static_cast<std::size_t>(length), '\0');
    file.seekg(size - length);
    file.read(text.data(), length);
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

// Below its heading, or behind it.
std::string epoch_text(const storage::EpochRow& row, int epochs, const char* between) {
    ProgressEvent event;
    event.steps_done = event.steps = row.steps;
    event.seconds = row.epoch_seconds;
    event.loss = row.loss;
    event.accuracy = row.accuracy;
    event.val_loss = row.val_loss;
    event.val_accuracy = row.val_accuracy;
    return fmt::format("Epoch {}/{}{}{}\n", row.epoch, epochs, between, format_plain_line(event));
}

}  // namespace

RunFollower::RunFollower(std::filesystem::path store, std::string run, bool is_among_several,
                         LiveLine& live)
    : store_(std::move(store)),
      run_(std::move(run)),
      log_(storage::RunStore::open(store_).run_files(run_).log),
      is_among_several_(is_among_several),
      live_(live),
      name_(run_) {}

bool RunFollower::look() {
    // Opened each time: a writer that was killed within a commit leaves a journal, which only an
    // opening rolls back.
    const storage::RunDatabase database = open_again_for_reading(store_);
    storage::RunDetails now;
    database.read_at_once([&] { now = database.run_details(run_); });
    name_ = now.run.name;
    print_epochs(now);
    progress_.clear();
    if (now.run.state == RunState::running && !is_abandoned(now)) {
        note_progress(now);
        return false;
    }
    if (now.run.state == RunState::queued) {
        progress_ = fmt::format("{} is queued", run_);
        return false;
    }
    live_.clear();
    print(end_text(now));
    return true;
}

void RunFollower::print_epochs(const storage::RunDetails& now) {
    // An attempt that began further back trains epochs again.
    const int trained = now.epochs.empty() ? 0 : now.epochs.back().epoch;
    const bool begins_here = is_among_several_ && !std::exchange(has_looked_, true);
    printed_ = begins_here ? trained : std::min(printed_, trained);
    std::string text;
    for (const storage::EpochRow& row : now.epochs) {
        if (row.epoch <= printed_) continue;
        if (is_among_several_) text += name_ + ' ';
        text += epoch_text(row, now.run.epochs, is_among_several_ ? " - " : "\n");
    }
    printed_ = trained;
    if (text.empty()) return;
    live_.clear();
    print(text);
}

void RunFollower::note_progress(const storage::RunDetails& now) {
    const auto age = time_since_step(log_).value_or(std::chrono::seconds(0));
    const std::string age_text = step_age_text(age);
    tell_silence(age);
    const auto progress = log_progress(end_of_file(log_));
    const bool is_news = progress && progress->epoch > printed_;
    // The age comes first: a terminal may be too narrow for all of it.
    progress_ = fmt::format("Epoch {}/{}",
                            is_news ? progress->epoch : std::min(printed_ + 1, now.run.epochs),
                            now.run.epochs);
    if (!age_text.empty()) progress_ += fmt::format(" - {} -", age_text);
    if (is_news) progress_ += fmt::format(" {}", reports::terminal_text(progress->line));
}

// Where there is no terminal: after a minute, then after twice as long, and so on.
void RunFollower::tell_silence(std::chrono::seconds age) {
    if (age < kLongWithoutStep) told_silence_ = std::chrono::seconds(0);
    if (age < kLongWithoutStep || age < 2 * told_silence_ || live_.is_shown()) return;
    told_silence_ = age;
    fmt::print(stderr, "{}{}: {}\n", ProgressSink::kErrorPrefix, run_, step_age_text(age));
}

// A training that was killed leaves `running` behind.
bool RunFollower::is_abandoned(const storage::RunDetails& now) {
    const bool is_gone = !now.attempts.empty() && !is_alive(now.attempts.back());
    if (!is_gone) {
        gone_since_.reset();
        return false;
    }
    if (!gone_since_) gone_since_ = Clock::now();
    return Clock::now() - *gone_since_ >= kRestartGrace;
}

std::string RunFollower::end_text(const storage::RunDetails& now) const {
    const std::string cause = now.attempts.empty() ? "" : now.attempts.back().cause;
    std::string text = fmt::format("{}: {}", run_, storage::to_string(now.run.state));
    if (now.run.state == RunState::running) text += ", but its process is gone";
    if (!cause.empty()) text += ", " + reports::terminal_text(cause);
    for (const storage::MetricRow& row : now.metrics) {
        const bool is_figure = row.name == "test_loss" || row.name == "test_accuracy";
        if (is_figure) text += fmt::format(" - {}: {}", row.name, format_metric(row.value));
    }
    return text + '\n';
}

}  // namespace lockstep::pipeline
