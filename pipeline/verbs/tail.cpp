#include "pipeline/verbs/tail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/log_progress.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

using storage::RunState;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{500};
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

std::string epoch_text(const storage::EpochRow& row, int epochs) {
    ProgressEvent event;
    event.steps_done = event.steps = row.steps;
    event.seconds = row.epoch_seconds;
    event.loss = row.loss;
    event.accuracy = row.accuracy;
    event.val_loss = row.val_loss;
    event.val_accuracy = row.val_accuracy;
    return fmt::format("Epoch {}/{}\n{}\n", row.epoch, epochs, format_plain_line(event));
}

// A line on the terminal that the next one overwrites; nothing where there is no terminal.
class LiveLine {
public:
    explicit LiveLine(const TerminalTraits& terminal) : terminal_(terminal) {}
    ~LiveLine() { clear(); }
    LiveLine(const LiveLine&) = delete;
    LiveLine& operator=(const LiveLine&) = delete;

    bool is_shown() const { return terminal_.is_terminal && terminal_.columns >= 2; }

    void show(const std::string& text) {
        if (!is_shown()) return;
        if (is_open_ && text == shown_) return;
        const auto columns = static_cast<std::size_t>(terminal_.columns) - 1;
        fmt::print(stderr, "\r{:<{}}", text.substr(0, columns), columns);
        std::fflush(stderr);
        is_open_ = true;
        shown_ = text;
    }
    void clear() {
        if (!is_open_) return;
        show("");
        std::fputc('\r', stderr);
        std::fflush(stderr);
        is_open_ = false;
    }

private:
    TerminalTraits terminal_;
    bool is_open_ = false;
    std::string shown_;
};

class Follower {
public:
    Follower(std::filesystem::path store, std::string run, std::filesystem::path log)
        : store_(std::move(store)), run_(std::move(run)), log_(std::move(log)) {}

    // Prints what is new; true when nothing more will come.
    bool look() {
        // Opened each time: a writer that was killed within a commit leaves a journal, which only
        // an opening rolls back.
        const storage::RunDatabase database = open_for_reading(store_);
        storage::RunDetails now;
        database.read_at_once([&] { now = database.run_details(run_); });
        print_epochs(now);
        if (now.run.state == RunState::running && !is_abandoned(now)) {
            show_progress(now);
            return false;
        }
        if (now.run.state == RunState::queued) {
            live_.show(fmt::format("{} is queued", run_));
            return false;
        }
        live_.clear();
        print(end_text(now));
        return true;
    }

private:
    void print_epochs(const storage::RunDetails& now) {
        // An attempt that began further back trains epochs again.
        const int trained = now.epochs.empty() ? 0 : now.epochs.back().epoch;
        printed_ = std::min(printed_, trained);
        std::string text;
        for (const storage::EpochRow& row : now.epochs) {
            if (row.epoch > printed_) text += epoch_text(row, now.run.epochs);
        }
        printed_ = trained;
        if (text.empty()) return;
        live_.clear();
        print(text);
    }

    void show_progress(const storage::RunDetails& now) {
        const auto age = time_since_step(log_).value_or(std::chrono::seconds(0));
        const std::string age_text = step_age_text(age);
        tell_silence(age);
        const auto progress = log_progress(end_of_file(log_));
        const bool is_news = progress && progress->epoch > printed_;
        if (!is_news && age_text.empty()) return;
        // The age comes first: a terminal may be too narrow for all of it.
        std::string text =
            fmt::format("Epoch {}/{}", is_news ? progress->epoch : printed_ + 1, now.run.epochs);
        if (!age_text.empty()) text += fmt::format(" - {} -", age_text);
        if (is_news) text += fmt::format(" {}", reports::terminal_text(progress->line));
        live_.show(text);
    }

    // Where there is no terminal: after a minute, then after twice as long, and so on.
    void tell_silence(std::chrono::seconds age) {
        if (age < kLongWithoutStep) told_silence_ = std::chrono::seconds(0);
        if (age < kLongWithoutStep || age < 2 * told_silence_ || live_.is_shown()) return;
        told_silence_ = age;
        fmt::print(stderr, "{}{}: {}\n", ProgressSink::kErrorPrefix, run_, step_age_text(age));
    }

    // A training that was killed leaves `running` behind.
    bool is_abandoned(const storage::RunDetails& now) {
        const bool is_gone = !now.attempts.empty() && !is_alive(now.attempts.back());
        if (!is_gone) {
            gone_since_.reset();
            return false;
        }
        if (!gone_since_) gone_since_ = Clock::now();
        return Clock::now() - *gone_since_ >= kRestartGrace;
    }

    std::string end_text(const storage::RunDetails& now) const {
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

    std::filesystem::path store_;
    std::string run_;
    std::filesystem::path log_;
    LiveLine live_{terminal_traits(2)};
    int printed_ = 0;  // the last epoch
    std::optional<Clock::time_point> gone_since_;
    std::chrono::seconds told_silence_{0};
};

}  // namespace

int tail(const TailOptions& options) {
    catch_stop_signals();
    const auto store = storage::RunStore::open(options.store);
    const std::string run = the_run(open_for_reading(options.store), options.run).run;
    Follower follower(options.store, run, store.run_files(run).log);
    while (!is_stop_requested() && !follower.look()) std::this_thread::sleep_for(kLookInterval);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
