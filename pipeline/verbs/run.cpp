#include "pipeline/verbs/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/doctor/store_place.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/planning/plan_warnings.hpp"
#include "pipeline/planning/run_schedule.hpp"
#include "pipeline/planning/swept_settings.hpp"
#include "pipeline/progress/progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/agreement.hpp"
#include "pipeline/ranks/allocation.hpp"
#include "pipeline/ranks/deadline.hpp"
#include "pipeline/ranks/handed_experiment.hpp"
#include "pipeline/ranks/mpi_leftovers.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/ranks/resource_limits.hpp"
#include "pipeline/ranks/stop_request.hpp"
#include "pipeline/ranks/time_limit.hpp"
#include "pipeline/recording/provenance.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/training/run_claims.hpp"
#include "pipeline/training/run_data.hpp"
#include "pipeline/training/run_queue.hpp"
#include "pipeline/training/stored_runs.hpp"
#include "pipeline/verbs/report.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/tables/accuracy_notes.hpp"
#include "reports/tables/compared_tables.hpp"
#include "storage/files/file_system.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::chrono::seconds kMostOfResults{600};  // for tables and report
constexpr int kStallsOfResults = 10;                 // where the time of a stall is given

constexpr const char* kAsRank = "--as-rank";  // what a rank that was started by us is told

// Rank 0's bytes of the file, on every rank: nobody else reads it.
std::string shared_text(const RunOptions& options, const trainer::Communicator& world) {
    std::string text;
    const auto read = [&] {
        text = read_experiment_file(options.is_rank ? handed_experiment(options.spec.file)
                                                    : options.spec.file);
    };
    do_on_root(world, read);
    return world.broadcast_text(text);
}

std::unique_ptr<ProgressSink> progress_of(const RunOptions& options) {
    if (options.progress == ProgressMode::protocol) return std::make_unique<ProgressLineWriter>();
    return std::make_unique<ProgressDisplay>(options.progress, options.color);
}

// The training is worth more than its report, which `lockstep report` can make again.
void print_report(const RunOptions& options, const Plan& plan) {
    try {
        const WrittenReport written = write_report(
            {.store = options.store, .experiments = {plan.experiment}, .where = {}, .out = {}});
        print(
            fmt::format("The report is {}\n{}", printable(written.html.string()), written.verdict));
    } catch (const std::exception& error) {
        tell_failure({kExitSuccess, fmt::format("no report was written: {}", error.what())});
    }
}

void tell_stop(int exit_code) {
    if (exit_code == kExitInterrupted) {
        tell_failure({exit_code, "stopped early; the same command resumes"});
    }
}

// What `validate` and `plan` note, as warnings: of runs that one is about, it tells how many.
void tell_notes(const RunOptions& options, const Plan& plan) {
    std::vector<std::string> notes = plan_warnings(plan);
    notes.push_back(file_system_warning(storage::file_system_type(existing_folder(options.store))));
    for (const std::string& note : notes)
        if (!note.empty()) tell_failure({kExitSuccess, "warning: " + note});
}

bool has_database(const std::filesystem::path& store) {
    return std::filesystem::is_directory(store) &&
           std::filesystem::is_regular_file(storage::RunStore::open(store).database());
}

// A first training without its data leaves no store behind.
void require_data_of_first(const RunOptions& options, const Plan& plan) {
    if (!has_database(options.store)) require_data(plan);
}

void print_tables(const RunOptions& options, Plan plan, std::chrono::milliseconds wait) {
    const auto database = open_again_for_reading(options.store, wait);
    adopt_trained(plan, database);
    std::vector<std::string> ids;
    for (const PlannedRun& planned : plan.runs) ids.push_back(planned.id);
    const std::vector<reports::RunFigures> runs = figures_of(database, ids);
    const storage::Table facts = reports::accuracy_facts(runs);
    storage::Table results = reports::results_table(runs);
    if (runs.size() == plan.runs.size()) results = with_swept_settings(std::move(results), plan);
    print_fitting(reports::with_test_set_letters(std::move(results), facts),
                  reports::TableFormat::table,
                  {.kept = {"state", "test_accuracy", "test_set"},
                   .where_the_rest_is = "`lockstep compare` has more",
                   .notes = reports::accuracy_notes(facts, true)});
    const auto root = storage::RunStore::open(options.store).root();
    print(fmt::format("\nEverything lies in {} (lockstep.db, runs/<run>/).\n",
                      printable(root.string())));
    print_report(options, plan);
}

// What was trained is stored, also where the database can not be read at this moment.
void print_results(const RunOptions& options, const Plan& plan, int exit_code) {
    // The store may answer no more, and nobody watches.
    const auto limit =
        options.stall_timeout ? kStallsOfResults * *options.stall_timeout : kMostOfResults;
    const Deadline deadline(limit, [&] {
        tell_failure({kExitInterrupted,
                      fmt::format("no results are shown: {} has not answered in time; what was "
                                  "trained is stored, and the same command shows it",
                                  printable(options.store.string()))});
    });
    if (!has_database(options.store)) return tell_stop(exit_code);  // stopped before there was one
    const bool is_in_haste = exit_code == kExitInterrupted;
    try {
        print_tables(options, plan, is_in_haste ? kWaitAfterStop : storage::kUsualWait);
    } catch (const storage::StorageError& error) {
        // A full disk ends no training, and makes no other end of a stopped one.
        if (error.kind() != storage::StorageError::Kind::locked && !is_in_haste) throw;
        tell_failure({exit_code, fmt::format("no results are shown: {}", error.what())});
    }
    tell_stop(exit_code);
    if (exit_code == kExitLeftToOthers) {
        tell_failure({exit_code,
                      "runs that another job trains are not finished yet; the same "
                      "command trains what it leaves"});
    }
}

bool has_results(int exit_code) {
    return exit_code == kExitSuccess || exit_code == kExitSomeRunsFailed ||
           exit_code == kExitInterrupted || exit_code == kExitLeftToOthers;
}

// Where others started the ranks, --ranks can not choose them.
void check_asked_ranks(const RunOptions& options, int size) {
    if (options.is_rank || !options.ranks || *options.ranks == size) return;
    throw AgreedFailure(kExitUsage,
                        fmt::format("--ranks {}, but mpirun or srun has started {}: leave --ranks "
                                    "out",
                                    *options.ranks, size));
}

// Ranks get what the user typed, and one word of ours.
Provenance provenance_of(const RunOptions& options, ProcessArguments arguments) {
    if (rank_from_environment() != 0) return {};
    std::vector<std::string> words{"lockstep"};
    words.insert(words.end(), arguments.values + 1, arguments.values + arguments.count);
    if (options.is_rank) words.erase(std::ranges::find(words, kAsRank));
    return {shell_text(words), describe_source(options.spec.file)};
}

int train_on(const trainer::Communicator& world, const RunOptions& options,
             const Provenance& provenance) {
    check_asked_ranks(options, world.size());
    const std::string text = shared_text(options, world);
    Plan plan;
    do_on_all(world, [&] { plan = plan_experiment(text, options.spec, world.size()); });
    do_on_root(world, [&] { require_data_of_first(options, plan); });
    const auto progress = progress_of(options);
    adopt_stored_runs(plan, options.store, world, *progress);
    const Queue queue{
        .plan = plan,
        .experiment = {plan.experiment, plan.title, printable(options.spec.file.string()),
                       storage::sha256_hex(text), ""},
        .store = options.store,
        .is_fresh = options.is_fresh,
        .retries_failed = options.retries_failed,
        .environment = trainer::agree_on_compute_environment(world),
        // Runs side by side are recorded by other ranks than the first.
        .provenance = {world.broadcast_text(provenance.command),
                       world.broadcast_text(provenance.source)}};
    if (world.is_root() && !queue.environment.isa_note.empty())
        progress->error("warning: " + queue.environment.isa_note);
    const bool is_supervised = options.progress == ProgressMode::protocol;
    if (world.is_root() && !is_supervised) tell_notes(options, plan);
    const int exit_code = train_all(queue, world, *progress);
    if (world.is_root() && !is_supervised && has_results(exit_code)) {
        print_results(options, plan, exit_code);
    }
    return exit_code;
}

int train_here(const RunOptions& options, ProcessArguments arguments) {
    catch_stop_signals();
    const Provenance provenance = provenance_of(options, arguments);  // before MPI runs
    return do_with_ranks(
        arguments,
        [&](const trainer::Communicator& world) { return train_on(world, options, provenance); },
        options.stall_timeout);
}

// A rank cannot tell whether its lines reach a terminal: no bar, unless it is asked for.
int train_as_rank(RunOptions options, ProcessArguments arguments) {
    if (options.progress == ProgressMode::automatic) options.progress = ProgressMode::plain;
    return train_here(options, arguments);
}

// Ours goes right behind the verb: behind a `--` of the user's it would be an argument.
std::vector<std::string> arguments_of_ranks(ProcessArguments arguments) {
    std::vector<std::string> result(arguments.values + 1, arguments.values + arguments.count);
    result.emplace(result.begin() + 1, kAsRank);
    return result;
}

// What else may be wrong with it the ranks tell.
void require_own_database(const std::filesystem::path& store) {
    if (!has_database(store)) return;
    try {
        open_again_for_reading(store, kWaitAfterStop).require_writable_version();
    } catch (const storage::StorageError& error) {
        if (error.kind() == storage::StorageError::Kind::bad_data) throw;
    }
}

// `text` is the experiment's, of which the plan was made.
int supervise(const RunOptions& options, ProcessArguments arguments, int ranks,
              const Allocation& allocated, const std::string& text, const Plan& plan) {
    // Refused before anything starts, or is written beside it.
    if (allocated.nodes == 1) require_data_of_first(options, plan);
    const auto store = storage::RunStore::create(options.store);
    require_own_database(options.store);
    const HandedExperiment experiment(store.root(), text);
    const Launch job{.program = std::filesystem::read_symlink("/proc/self/exe"),
                     .arguments = arguments_of_ranks(arguments),
                     .ranks = ranks,
                     .cores = available_cores() * allocated.nodes,
                     .slots = allocated.slots,
                     .hosts = allocated.hosts,
                     .log = store.root() / "mpirun.log",
                     .stall_timeout = options.stall_timeout};
    tell_notes(options, plan);
    ProgressDisplay progress(options.progress, options.color);
    const int exit_code = train_with_restarts(job, options.store, options.max_restarts, progress);
    if (has_results(exit_code)) print_results(options, plan, exit_code);
    return exit_code;
}

// The plan, with the ids that the runs have in the store, if there is one.
int dry_run(const RunOptions& options) {
    Plan plan = plan_experiment(read_experiment_file(options.spec.file), options.spec);
    std::string notes;
    if (options.spec.data) require_data(plan);
    if (has_database(options.store)) {
        const auto stored =
            stored_under_other_ids(plan, open_for_reading(options.store), PlannedData());
        for (const StoredRun& each : stored) {
            notes += fmt::format("note: {}\n", adoption_text(plan.runs.at(each.place), each));
        }
        adopt(plan, stored);
    }
    print_fitting(with_swept_settings(plan_table(plan), plan), reports::TableFormat::table,
                  {.where_the_rest_is = "`lockstep plan --format csv` has every one"});
    print(plan_notes(plan) + notes);
    return kExitSuccess;
}

// Which of the words on progress wins.
RunOptions resolved(RunOptions options) {
    if (options.is_quiet) options.progress = ProgressMode::quiet;
    if (options.is_rank) options.progress = ProgressMode::protocol;
    return options;
}

}  // namespace

int run(const RunOptions& asked, ProcessArguments arguments) {
    const RunOptions options = resolved(asked);
    std::signal(SIGPIPE, SIG_IGN);  // nobody who looks is no reason to stop: the log has it
    stop_in_time(options.max_walltime);
    if (options.is_dry_run) let_signals_end();
    if (options.is_dry_run) return rank_from_environment() == 0 ? dry_run(options) : 0;
    if (is_started_as_rank() || options.is_rank) return train_as_rank(options, arguments);
    // The file is read here too, so that its errors cost no start of ranks.
    const std::string text = read_experiment_file(options.spec.file);
    const Plan plan = plan_experiment(text, options.spec);
    const Allocation allocated =
        options.hostfile.empty() ? allocation(available_cores()) : allocation_in(options.hostfile);
    const int ranks = options.ranks.value_or(usable_ranks(plan, allocated.ranks));
    check_ranks(plan, ranks);
    require_limits(ranks);
    const MpiSweep sweep;
    if (ranks == 1) return train_here(options, arguments);
    return supervise(options, arguments, ranks, allocated, text, plan);
}

}  // namespace lockstep::pipeline
