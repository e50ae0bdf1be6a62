#include "pipeline/verbs/tail.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/stored_work.hpp"
#include "pipeline/verbs/live_line.hpp"
#include "pipeline/verbs/run_follower.hpp"
#include "reports/figures/work_left.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::pipeline {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookInterval{500};
constexpr std::chrono::seconds kEstimateInterval{5};
// Between the end of a run and the beginning of the next one a job trains nothing.
constexpr std::chrono::seconds kNextRunGrace{5};

// Everything that is trained in a store, whoever does it.
class StoreFollower {
public:
    StoreFollower(std::filesystem::path store, LiveLine& live)
        : store_(std::move(store)), live_(live) {}

    // Prints what is new; true when nothing has been trained for a while.
    bool look() {
        for (const std::string& run : running())
            followers_.try_emplace(run, store_, run, true, live_);
        for (auto each = followers_.begin(); each != followers_.end();)
            each = each->second.look() ? followers_.erase(each) : std::next(each);
        if (!followers_.empty()) {
            has_followed_ = true;
            idle_since_.reset();
            live_.show(text());
            return false;
        }
        live_.clear();
        if (!has_followed_) return true;
        if (!idle_since_) idle_since_ = Clock::now();
        return Clock::now() - *idle_since_ >= kNextRunGrace;
    }
    bool has_followed() const { return has_followed_; }

private:
    // Runs that live; those that are dead already have no follower yet, and get none.
    std::vector<std::string> running() const {
        const storage::RunDatabase database = open_again_for_reading(store_);
        std::vector<std::string> ids;
        for (const std::string& run : database.running_runs()) {
            if (followers_.contains(run)) continue;
            const auto attempts = database.attempts(run);
            if (!attempts.empty() && is_alive(attempts.back())) ids.push_back(run);
        }
        return ids;
    }

    std::string text() {
        std::vector<std::string> parts;
        for (const auto& [run, follower] : followers_)
            parts.push_back(fmt::format("{} {}", follower.name(), follower.progress()));
        return left() + fmt::format("{}", fmt::join(parts, " | "));
    }

    // Of the experiments that are trained now; asked for now and then.
    std::string left() {
        if (asked_ && Clock::now() - *asked_ < kEstimateInterval) return left_;
        asked_ = Clock::now();
        const storage::RunDatabase database = open_again_for_reading(store_);
        std::set<std::string> experiments;
        for (const auto& [run, follower] : followers_)
            if (const auto row = database.find_run(run)) experiments.insert(row->experiment);
        const std::vector<reports::RunWork> works = works_of(database, experiments);
        const auto waiting =
            std::ranges::count(works, storage::RunState::queued, &reports::RunWork::state);
        const auto seconds = reports::seconds_left(works);
        left_ = waiting > 0 ? fmt::format("{} queued, ", waiting) : "";
        if (seconds) left_ += fmt::format("about {} left, ", reports::rough_duration(*seconds));
        return left_;
    }

    std::filesystem::path store_;
    LiveLine& live_;
    std::map<std::string, RunFollower> followers_;  // by run
    bool has_followed_ = false;
    std::optional<Clock::time_point> idle_since_;
    std::optional<Clock::time_point> asked_;
    std::string left_;
};

void follow_store(const TailOptions& options) {
    LiveLine live(terminal_traits(2));
    StoreFollower follower(options.store, live);
    while (!is_stop_requested() && !follower.look()) std::this_thread::sleep_for(kLookInterval);
    if (!follower.has_followed() && !is_stop_requested())
        tell_failure({kExitSuccess,
                      "nothing is trained in this store now; `lockstep ls` lists what "
                      "was"});
}

void follow_run(const TailOptions& options) {
    const std::string run = the_run(open_for_reading(options.store), options.run).run;
    LiveLine live(terminal_traits(2));
    RunFollower follower(options.store, run, false, live);
    while (!is_stop_requested() && !follower.look()) {
        if (!follower.progress().empty()) live.show(follower.progress());
        std::this_thread::sleep_for(kLookInterval);
    }
}

}  // namespace

int tail(const TailOptions& options) {
    catch_stop_signals();
    options.run.empty() ? follow_store(options) : follow_run(options);
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
