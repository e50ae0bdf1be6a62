#include "pipeline/run_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "pipeline/exit_codes.hpp"
#include "pipeline/failure.hpp"
#include "pipeline/run_data.hpp"
#include "pipeline/run_lock.hpp"
#include "pipeline/run_recorder.hpp"
#include "pipeline/run_start.hpp"
#include "pipeline/stop_request.hpp"
#include "pipeline/tensors.hpp"
#include "storage/run_database.hpp"
#include "storage/run_store.hpp"
#include "storage/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

using storage::DatabaseAccess;
using storage::RunDatabase;
using storage::RunStore;
using trainer::Communicator;

// What became of a run: 0, kExitInterrupted, or why it failed. Travels as text.
struct RunResult {
    std::size_t run = 0;
    int exit_code = kExitSuccess;
};

// On ranks other than a run's first nobody listens.
class NoObserver : public trainer::TrainObserver {
public:
    void on_epoch_begin(int, int, std::int64_t) override {}
    void on_step_end(const trainer::StepRecord&) override {}
    void on_epoch_end(const trainer::EpochRecord&) override {}
    void on_snapshot(const trainer::Snapshot&) override {}
};

void tell_error(ProgressSink& progress, std::string_view text) {
    progress.message(fmt::format("{}{}", ProgressSink::kErrorPrefix, text));
}

// ---- before training -------------------------------------------------------------------------

char letter_of(RunAction action) { return static_cast<char>('0' + static_cast<int>(action)); }

// Asks the database of each run; rank 0's answer on every rank.
std::vector<RunAction> agree_on_actions(const Queue& queue, const Communicator& world) {
    std::string letters;
    do_on_root(world, [&] {
        const RunStore store = RunStore::create(queue.store);
        const RunDatabase database(store.database(), DatabaseAccess::read_write);
        for (const PlannedRun& planned : queue.plan.runs) {
            const auto row = database.find_run(planned.id);
            letters += letter_of(action_for(row ? &row->state : nullptr, queue));
        }
    });
    std::vector<RunAction> actions;
    for (const char letter : world.broadcast_text(letters)) {
        actions.push_back(static_cast<RunAction>(letter - '0'));
    }
    return actions;
}

// So that `ls` shows what will come.
void register_runs(const Queue& queue, const std::vector<std::size_t>& runs) {
    const RunStore store = RunStore::create(queue.store);
    RunDatabase database(store.database(), DatabaseAccess::read_write);
    storage::ExperimentRow experiment = queue.experiment;
    experiment.created_utc = storage::utc_now();
    database.put_experiment(experiment);
    for (const std::size_t run : runs) {
        const PlannedRun& planned = queue.plan.runs[run];
        if (database.find_run(planned.id)) continue;
        storage::RunRow row = run_row(planned, queue.plan.experiment, nullptr);
        row.created_utc = experiment.created_utc;
        database.put_run(row);
    }
}

// ---- one run on one group of ranks -----------------------------------------------------------

// What the group's rank 0 alone holds while a run is trained.
struct Recording {
    Recording(const std::filesystem::path& root, const PlannedRun& planned)
        : store(RunStore::open(root)),
          lock(store.make_run_folder(planned.id).folder),
          database(store.database(), DatabaseAccess::read_write) {}

    RunStore store;
    RunLock lock;
    RunDatabase database;
    std::unique_ptr<RunRecorder> recorder;
};

class GroupTrainer {
public:
    GroupTrainer(const Queue& queue, const Communicator& group, const RunDatasets& datasets,
                 bool is_side_by_side, ProgressSink& progress)
        : queue_(queue),
          group_(group),
          datasets_(datasets),
          setting_{queue.plan.experiment, queue.environment, group.size(), is_side_by_side},
          progress_(progress) {}

    // 0, kExitInterrupted, or the code of what made the run fail.
    int train(const PlannedRun& planned, RunAction action) {
        std::optional<Recording> recording;
        try {
            return train_recorded(planned, action, recording);
        } catch (const AgreedFailure& failure) {
            // Before the first step: nothing stored has changed, so the run's state stays.
            if (group_.is_root()) tell_error(progress_, failure.what());
            return failure.exit_code();
        }
    }

    bool is_stop_agreed() const {
        const auto wishes = group_.gather_texts(is_stop_requested() ? "stop" : "");
        return std::any_of(wishes.begin(), wishes.end(),
                           [](const std::string& wish) { return !wish.empty(); });
    }

private:
    int train_recorded(const PlannedRun& planned, RunAction action,
                       std::optional<Recording>& recording) {
        trainer::RunData data;
        do_on_all(group_, [&] {
            const trainer::RunConfig& config = planned.run.config;
            data = trainer::select_samples(datasets_.get(planned), config.data, config.train.seed);
        });
        RunStart start;
        do_on_root(group_, [&] {
            recording.emplace(queue_.store, planned);
            start = action == RunAction::resume
                        ? resume(recording->store, recording->database, planned,
                                 data.dataset->digest, queue_.environment)
                        : start_anew(planned);
            recording->recorder = std::make_unique<RunRecorder>(
                recording->store, recording->database, planned, data, setting_, progress_);
            recording->recorder->begin(start.point);
            for (const std::string& warning : start.warnings) recording->recorder->warn(warning);
        });
        start.state = broadcast_state(group_, start.state);
        start.initial_weights = broadcast_tensors(group_, start.initial_weights);
        return train_and_record(planned, data, start,
                                recording ? recording->recorder.get() : nullptr);
    }

    int train_and_record(const PlannedRun& planned, const trainer::RunData& data,
                         const RunStart& start, RunRecorder* recorder) {
        NoObserver nobody;
        trainer::TrainObserver& observer =
            recorder != nullptr ? static_cast<trainer::TrainObserver&>(*recorder) : nobody;
        const trainer::Training training{
            .config = planned.run.config,
            .data = data,
            .initial_weights = start.initial_weights ? &*start.initial_weights : nullptr,
            .resume_from = start.state ? &*start.state : nullptr,
            .stop_requested = is_stop_requested};
        try {
            const trainer::TrainOutcome outcome = trainer::train(training, group_, observer);
            return conclude(outcome, recorder);
        } catch (const trainer::NonFiniteLoss& error) {  // these three on every rank alike
            return fail(error, planned, recorder);
        } catch (const trainer::WeightsError& error) {
            return fail(error, planned, recorder);
        } catch (const trainer::ReplicaError& error) {
            return fail(error, planned, recorder);
        } catch (const std::exception& error) {
            // On this rank alone, as far as is known: the job will end. Say why where it can be
            // read.
            record_broken(error, recorder);
            throw;
        }
    }

    int conclude(const trainer::TrainOutcome& outcome, RunRecorder* recorder) {
        const bool is_stopped = outcome.reason == trainer::StopReason::requested;
        if (recorder != nullptr && is_stopped) {
            recorder->interrupt(
                fmt::format("stopped on request after epoch {}", outcome.epochs_finished));
        }
        if (recorder != nullptr && !is_stopped) recorder->finish(outcome);
        return is_stopped ? kExitInterrupted : kExitSuccess;
    }

    int fail(const std::exception& error, const PlannedRun& planned, RunRecorder* recorder) {
        if (recorder != nullptr) {
            recorder->fail(error.what());
            tell_error(progress_, fmt::format("run {}: {}", planned.id, error.what()));
        }
        return failure_of(std::current_exception()).exit_code();
    }

    static void record_broken(const std::exception& error, RunRecorder* recorder) noexcept {
        try {
            if (recorder != nullptr) recorder->interrupt(error.what());
        } catch (const std::exception&) {
            // The store may be what broke; the next start finds the run `running` without a lock.
        }
    }

    const Queue& queue_;
    const Communicator& group_;
    const RunDatasets& datasets_;
    RunSetting setting_;
    ProgressSink& progress_;
};

// ---- the phases ------------------------------------------------------------------------------

std::vector<RunResult> train_phase(const Queue& queue, const Phase& phase,
                                   const std::vector<RunAction>& actions,
                                   const RunDatasets& datasets, const Communicator& world,
                                   ProgressSink& progress) {
    const int own = world.rank() / phase.ranks_per_run;
    const auto groups = static_cast<int>(phase.groups.size());
    const Communicator group = world.split(std::min(own, groups));
    std::vector<RunResult> results;
    if (own >= groups) return results;  // a rank left over
    GroupTrainer trainer(queue, group, datasets, groups > 1, progress);
    for (const std::size_t run : phase.groups[static_cast<std::size_t>(own)]) {
        const int code = trainer.is_stop_agreed()
                             ? kExitInterrupted
                             : trainer.train(queue.plan.runs[run], actions[run]);
        if (group.is_root()) results.push_back({run, code});
    }
    return results;
}

std::string packed(const std::vector<RunResult>& results) {
    std::string text;
    for (const RunResult& result : results) {
        text += fmt::format("{} {} ", result.run, result.exit_code);
    }
    return text;
}

// Every rank's results, on every rank.
std::vector<RunResult> gathered(const Communicator& world, const std::vector<RunResult>& results) {
    std::vector<RunResult> all;
    for (const std::string& text : world.gather_texts(packed(results))) {
        std::size_t place = 0;
        const auto number = [&] {
            std::size_t end = text.find(' ', place);
            const auto value = std::stoul(text.substr(place, end - place));
            place = end + 1;
            return value;
        };
        while (place < text.size()) {
            const std::size_t run = number();
            all.push_back({run, static_cast<int>(number())});
        }
    }
    return all;
}

int exit_code_of(const std::vector<RunResult>& results, std::size_t runs) {
    int common = kExitSuccess;
    std::size_t failed = 0;
    for (const RunResult& result : results) {
        if (result.exit_code == kExitInterrupted) return kExitInterrupted;
        if (result.exit_code == kExitSuccess) continue;
        const bool is_alike = failed == 0 || common == result.exit_code;
        common = is_alike ? result.exit_code : kExitSomeRunsFailed;
        ++failed;
    }
    return failed == 0 || failed == runs ? common : kExitSomeRunsFailed;
}

// Tells what is skipped; results for what failed before, places of what is to be trained.
std::vector<std::size_t> sort_out(const Queue& queue, const std::vector<RunAction>& actions,
                                  const Communicator& world, ProgressSink& progress,
                                  std::vector<RunResult>& results) {
    std::vector<std::size_t> pending;
    for (std::size_t run = 0; run < actions.size(); ++run) {
        const std::string& name = queue.plan.runs[run].run.config.name;
        if (actions[run] == RunAction::skip_finished) {
            if (world.is_root()) progress.message(name + ": finished already");
        } else if (actions[run] == RunAction::skip_failed) {
            results.push_back({run, kExitSomeRunsFailed});
            if (world.is_root())
                tell_error(progress, name + ": failed before; --retry-failed retries");
        } else {
            pending.push_back(run);
        }
    }
    return pending;
}

}  // namespace

int train_all(const Queue& queue, const Communicator& world, ProgressSink& progress) {
    do_on_all(world, [&] { check_ranks(queue.plan, world.size()); });
    const std::vector<RunAction> actions = agree_on_actions(queue, world);
    std::vector<RunResult> results;  // on rank 0 those of skipped runs too
    std::vector<RunResult> skipped;
    const auto pending = sort_out(queue, actions, world, progress, skipped);
    if (world.is_root()) results = skipped;
    if (!pending.empty()) {
        const RunDatasets datasets(queue.plan, pending, world);
        do_on_root(world, [&] { register_runs(queue, pending); });
        for (const Phase& phase : phases(queue.plan, pending, world.size())) {
            const auto trained = train_phase(queue, phase, actions, datasets, world, progress);
            results.insert(results.end(), trained.begin(), trained.end());
        }
    }
    return exit_code_of(gathered(world, results), queue.plan.runs.size());
}

}  // namespace lockstep::pipeline
