#include "pipeline/training/run_queue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "liveness/pulse.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/training/group_trainer.hpp"
#include "pipeline/training/queue_exit_code.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/store_survey.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using trainer::Communicator;

// ---- the phases ------------------------------------------------------------------------------

bool holds(const fs::path& file, std::string_view text) {
    try {
        const storage::Bytes bytes = storage::read_file(file);
        return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()) == text;
    } catch (const storage::StorageError&) {
        return false;
    }
}

// Removed, where it was made, once all have looked.
struct TokenFile {
    fs::path path;
    bool is_own = false;
    ~TokenFile() {
        std::error_code ignored;
        if (is_own) fs::remove(path, ignored);
    }
};

// Whoever leads a group writes into the store: refuses hosts that see another folder there.
void check_shared_store(const Queue& queue, const Job& job, const Phase& phase,
                        const Communicator& world) {
    if (phase.groups == 1) return;
    // Swept like any file in the making, were rank 0 killed here.
    const fs::path own = storage::temporary_name(queue.store / "shared");
    do_on_root(world, [&] { storage::replace_file(own, job.token); });
    const TokenFile file{queue.store / world.broadcast_text(own.filename().string()),
                         world.is_root()};
    do_on_all(world, [&] {
        const bool is_leader = world.rank() % phase.ranks_per_run == 0;
        if (!is_leader || holds(file.path, job.token)) return;
        throw Failure(
            kExitMissingInput,
            fmt::format("rank {} on {} does not see the store {} of rank 0; it must lie in "
                        "a folder that all hosts share",
                        world.rank(), storage::host_name(), queue.store.string()));
    });
}

// What became of the runs this rank led: 0, kExitInterrupted, or why one failed.
std::vector<int> train_phase(const Queue& queue, const Job& job, const Phase& phase,
                             const RunDatasets& datasets, const Communicator& world,
                             ProgressSink& progress) {
    check_shared_store(queue, job, phase, world);
    const int own = world.rank() / phase.ranks_per_run;
    const Communicator group = world.split(std::min(own, phase.groups));
    std::vector<int> exit_codes;
    if (own >= phase.groups) return exit_codes;  // a rank left over
    GroupTrainer trainer(queue, job, group, datasets, phase.groups > 1, progress);
    while (!trainer.is_stop_agreed()) {
        const std::optional<int> exit_code = trainer.train_next(phase.runs);
        if (!exit_code) break;
        if (group.is_root()) exit_codes.push_back(*exit_code);
    }
    return exit_codes;
}

// ---- other jobs on the same store --------------------------------------------------------------

// Once nothing is left to take: the attempts of others that turn out to be dead, on every rank.
std::map<std::size_t, int> dead_attempts(const std::vector<std::size_t>& runs, RunClaims& claims,
                                         const Communicator& world) {
    std::string lines;
    do_on_root(world, [&] {
        for (const auto& [run, attempt] : claims.watch(runs)) {
            lines += fmt::format("{} {}\n", run, attempt);
        }
    });
    std::istringstream text(world.broadcast_text(lines));
    std::map<std::size_t, int> dead;
    std::size_t run = 0;
    for (int attempt = 0; text >> run >> attempt;) dead[run] = attempt;
    return dead;
}

}  // namespace

RunAction action_for(const storage::RunState* state, bool is_fresh, bool retries_failed) {
    if (is_fresh || state == nullptr) return RunAction::start;
    switch (*state) {
        case storage::RunState::finished:
            return RunAction::skip_finished;
        case storage::RunState::failed:
            return retries_failed ? RunAction::start : RunAction::skip_failed;
        case storage::RunState::queued:
            return RunAction::start;
        case storage::RunState::running:  // by whom is asked when it is claimed
        case storage::RunState::interrupted:
            break;
    }
    return RunAction::resume;
}

int train_all(const Queue& queue, const Communicator& world, ProgressSink& progress) {
    do_on_all(world, [&] { check_ranks(queue.plan, world.size()); });
    NoProgress nobody;
    ProgressSink& told = world.is_root() ? progress : nobody;
    Survey survey = survey_store(queue, world, told);
    const SortedRuns sorted = sort_out(queue, survey.actions, told);
    std::vector<int> exit_codes;  // of the runs this rank led
    if (world.is_root()) exit_codes = sorted.exit_codes;
    if (sorted.pending.empty()) return exit_code_of(gathered(world, exit_codes));

    for (const std::string& warning : data_warnings(queue.plan, sorted.pending)) {
        told.error("warning: " + warning);
    }
    const RunDatasets datasets(queue.plan, sorted.pending, world);
    do_on_root(world, [&] { register_runs(queue, sorted.pending, datasets, told); });
    Job& job = survey.job;
    RunClaims claims(queue, job, told);
    if (is_time_up())
        told.error("its time limit is over before the first step: it needs more time");
    bool is_stopped = false;
    for (std::vector<std::size_t> runs = sorted.pending; !runs.empty();) {
        std::size_t trained = 0;
        for (const Phase& phase : phases(queue.plan, runs, world.size())) {
            const auto codes = train_phase(queue, job, phase, datasets, world, progress);
            liveness::note(liveness::Phase::idle);
            exit_codes.insert(exit_codes.end(), codes.begin(), codes.end());
            world.sleep_until_all_come();  // groups that are free leave their cores to the others
            trained += gathered(world, codes).size();
        }
        is_stopped = !world.all_agree(!is_stop_requested());
        // Those dead by their lease may be alive by their lock.
        if (is_stopped || (trained == 0 && !job.dead.empty())) break;
        job.dead = dead_attempts(sorted.pending, claims, world);
        runs.clear();
        for (const auto& [run, attempt] : job.dead) runs.push_back(run);
    }
    is_stopped = is_stopped || !world.all_agree(!is_stop_requested());  // while others were watched
    do_on_root(world, [&] {
        const auto codes =
            codes_of_left(queue, left_runs(claims, sorted.pending, is_stopped), is_stopped, told);
        exit_codes.insert(exit_codes.end(), codes.begin(), codes.end());
    });
    return exit_code_of(gathered(world, exit_codes));
}

}  // namespace lockstep::pipeline
