#include "pipeline/verbs/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <vector>

#include "pipeline/doctor/machine.hpp"
#include "pipeline/doctor/mpi_check.hpp"
#include "pipeline/doctor/rank_facts.hpp"
#include "pipeline/doctor/store_place.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/recording/version.hpp"
#include "pipeline/store/store_reading.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/this_host.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

double now() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::string environment(const char* name) {
    const char* text = std::getenv(name);
    return text == nullptr ? "" : text;
}

std::optional<Plan> plan_of(const DoctorOptions& options, int ranks) {
    if (options.spec.file.empty()) return std::nullopt;
    return plan_experiment(read_experiment_file(options.spec.file), options.spec, ranks);
}

// ---- this machine ------------------------------------------------------------------------------

JobNeeds needs_of(const std::optional<Plan>& plan, int ranks) {
    JobNeeds needs{.ranks = ranks};
    if (!plan) return needs;
    for (const PlannedRun& run : plan->runs) {
        needs.memory_per_rank = std::max(needs.memory_per_rank, run.estimate.memory_per_rank);
    }
    return needs;
}

void look_at_machine(const JobNeeds& needs, const trainer::ComputeEnvironment& computes,
                     Diagnoses& diagnoses) {
    const MachineFacts machine = machine_facts("/", environment("OMP_NUM_THREADS"));
    diagnoses.push_back({Health::ok, "kernels",
                         fmt::format("{}, {}, oneDNN {}", computes.isa, computes.simd_target,
                                     computes.onednn_version)});
    diagnoses.push_back(check_mpi(computes.mpi_version, mpirun_version()));
    diagnoses.push_back(check_cores(machine, needs));
    diagnoses.push_back(check_quota(machine, needs));
    diagnoses.push_back(check_threads(machine));
    diagnoses.push_back(check_memory(machine, needs));
    diagnoses.push_back(check_shared_memory(machine, needs));
    diagnoses.push_back(check_descriptors(machine, needs));
}

// ---- the store ---------------------------------------------------------------------------------

// What the database of a store tells, if there is one.
void look_at_rows(const fs::path& database_file, const std::optional<Plan>& plan,
                  Diagnoses& diagnoses) {
    std::error_code error;
    if (!fs::exists(database_file, error)) {
        diagnoses.push_back(check_clock(now(), std::nullopt));
        return;
    }
    try {
        const storage::RunDatabase database(database_file, storage::DatabaseAccess::read_only);
        diagnoses.push_back(check_clock(now(), newest_row(database)));
        if (const std::string newer = newer_version_warning(database); !newer.empty()) {
            diagnoses.push_back({Health::problem, "database", newer,
                                 "train with that Lockstep, or into another --store"});
        }
        if (plan) diagnoses.push_back(check_data(*plan, database));
    } catch (const storage::StorageError& failure) {
        diagnoses.push_back(
            {Health::problem, "database", failure.what(), "`lockstep fsck` tells more"});
    }
}

void look_at_store(const DoctorOptions& options, const std::optional<Plan>& plan,
                   Diagnoses& diagnoses) {
    const fs::path folder = existing_folder(options.store);
    diagnoses.push_back(check_writable(folder));
    diagnoses.push_back(check_file_system(storage::file_system_type(folder)));
    diagnoses.push_back(check_locks(storage::lock_support(folder)));
    diagnoses.push_back(check_space(storage::free_bytes(folder), storage::quota_bytes_left(folder),
                                    plan ? planned_bytes(*plan) : 0));
    look_at_rows(options.store / "lockstep.db", plan, diagnoses);
}

// ---- all ranks ---------------------------------------------------------------------------------

std::string own_program() {
    try {
        return storage::sha256_hex(storage::read_file("/proc/self/exe"));
    } catch (const storage::StorageError&) {
        return {};
    }
}

// The digests of all data sets of the plan, as one; "" where one cannot be read.
std::string own_data(const std::optional<Plan>& plan) {
    if (!plan) return {};
    try {
        std::string digests;
        for (const PlannedRun& run : plan->runs) {
            digests += trainer::load_dataset(run.run.config.data)->digest;
        }
        return storage::sha256_hex(digests);
    } catch (const trainer::DataError&) {
        return {};
    }
}

std::string own_cpus() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (!line.starts_with("Cpus_allowed_list:")) continue;
        return line.substr(line.find_first_not_of(" \t", line.find(':') + 1));
    }
    return {};
}

RankFacts own_facts(const std::optional<Plan>& plan, const trainer::ComputeEnvironment& computes) {
    return {.host = storage::host_name(),
            .lockstep = lockstep_version(),
            .program = own_program(),
            .isa = computes.isa,
            .simd = computes.simd_target,
            .onednn = computes.onednn_version,
            .mpi = computes.mpi_version,
            .data = own_data(plan),
            .cpus = own_cpus()};
}

// ---- the verb ----------------------------------------------------------------------------------

int conclude(const Diagnoses& diagnoses, const DoctorOptions& options) {
    print_fitting(diagnosis_table(diagnoses), options.format, {.may_drop = false});
    return has_problem(diagnoses) ? kExitUnavailable : kExitSuccess;
}

int examine_alone(const DoctorOptions& options) {
    const int ranks = options.ranks.value_or(available_cores());
    const auto plan = plan_of(options, ranks);
    Diagnoses diagnoses;
    look_at_machine(needs_of(plan, ranks), trainer::own_compute_environment(), diagnoses);
    look_at_store(options, plan, diagnoses);
    return conclude(diagnoses, options);
}

// Ranks on the host of rank 0: what its limits have to hold.
int ranks_beside_root(const std::vector<RankFacts>& ranks) {
    return static_cast<int>(std::ranges::count(ranks, ranks.front().host, &RankFacts::host));
}

int examine_ranks(const DoctorOptions& options, const trainer::Communicator& world) {
    const auto plan = plan_of(options, world.size());
    const trainer::ComputeEnvironment computes = trainer::own_compute_environment();
    RankFacts own = own_facts(plan, computes);
    world.barrier();
    own.clock = now();
    std::vector<RankFacts> ranks;
    for (const std::string& text : world.gather_texts(packed(own))) {
        ranks.push_back(unpacked_facts(text));
    }
    int exit_code = kExitSuccess;
    if (world.is_root()) {
        Diagnoses diagnoses;
        look_at_machine(needs_of(plan, ranks_beside_root(ranks)), computes, diagnoses);
        // mpirun has given each rank its own cores; the ranks together are looked at below.
        std::erase_if(diagnoses, [](const Diagnosis& each) { return each.check == "cores"; });
        look_at_store(options, plan, diagnoses);
        for (Diagnosis& each : compare_ranks(ranks)) diagnoses.push_back(std::move(each));
        exit_code = conclude(diagnoses, options);
    }
    return std::stoi(world.broadcast_text(std::to_string(exit_code)));
}

}  // namespace

int doctor(const DoctorOptions& options, ProcessArguments arguments) {
    if (!is_started_as_rank()) return examine_alone(options);
    return do_with_ranks(arguments, [&](const trainer::Communicator& world) {
        return examine_ranks(options, world);
    });
}

}  // namespace lockstep::pipeline
