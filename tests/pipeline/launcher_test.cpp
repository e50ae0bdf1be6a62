#include "pipeline/ranks/launcher.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "pipeline/experiment/spec.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_environment.hpp"
#include "pipeline/settings/spec_error.hpp"
#include "storage/files/storage_error.hpp"
#include "tests/support/catch.hpp"
#include "trainer/config/out_of_memory.hpp"
#include "trainer/data/dataset.hpp"
#include "trainer/environment.hpp"

namespace lockstep::pipeline {
namespace {

Launch launch_on(int ranks, int cores) {
    return {.program = "/opt/lockstep",
            .arguments = {"run", "my file.toml"},
            .ranks = ranks,
            .cores = cores,
            .slots = 0,
            .hosts = {},
            .log = {}};
}

bool has(const std::vector<std::string>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

TEST_CASE("mpirun gets the ranks, then the program and its arguments as they were") {
    const auto command = mpirun_command(launch_on(4, 8));
    REQUIRE(command.size() > 6);
    CHECK(std::vector<std::string>(command.begin(), command.begin() + 3) ==
          std::vector<std::string>{"mpirun", "-n", "4"});
    CHECK(std::vector<std::string>(command.end() - 3, command.end()) ==
          std::vector<std::string>{"/opt/lockstep", "run", "my file.toml"});
}

TEST_CASE("Ranks are bound only where they take all cores, and oversubscribed only beyond") {
    CHECK(has(mpirun_command(launch_on(8, 8)), "core"));
    CHECK(has(mpirun_command(launch_on(4, 8)), "none"));
    CHECK_FALSE(has(mpirun_command(launch_on(8, 8)), ":OVERSUBSCRIBE"));
    CHECK(has(mpirun_command(launch_on(9, 8)), ":OVERSUBSCRIBE"));
    CHECK(has(mpirun_command(launch_on(9, 8)), "none"));
}

TEST_CASE("Ranks beyond what mpirun takes from the batch system are oversubscribed for it") {
    Launch job = launch_on(4, 4);  // one task of four CPUs
    job.slots = 1;
    CHECK(has(mpirun_command(job), ":OVERSUBSCRIBE"));
    CHECK(has(mpirun_command(job), "core"));
    job.slots = 4;
    CHECK_FALSE(has(mpirun_command(job), ":OVERSUBSCRIBE"));
    job.hosts = "node1:2,node2:2";
    CHECK(has(mpirun_command(job), "node1:2,node2:2"));
}

void forget_all_ranks() {
    for (const char* name :
         {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMIX_NAMESPACE", "PMI_RANK", "PMI_SIZE", "PMI_FD",
          "SLURM_STEP_ID", "SLURM_STEPID", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"}) {
        ::unsetenv(name);
    }
}

TEST_CASE("What is left of another job makes no rank") {
    forget_all_ranks();
    ::setenv("PMI_RANK", "0", 1);
    CHECK_FALSE(is_started_as_rank());
    ::setenv("PMI_SIZE", "1", 1);
    CHECK_FALSE(is_started_as_rank());
    ::setenv("PMI_SIZE", "4", 1);
    CHECK(is_started_as_rank());  // of another MPI: refused, once MPI knows of one rank alone
    CHECK(ranks_from_pmi() == 4);
    forget_all_ranks();
    ::setenv("PMIX_RANK", "0", 1);
    CHECK_FALSE(is_started_as_rank());
    ::setenv("PMIX_NAMESPACE", "prterun-7", 1);
    CHECK(is_started_as_rank());
    forget_all_ranks();
}

TEST_CASE("A shell in a step of srun is no rank, and can be forgotten") {
    forget_all_ranks();
    ::setenv("SLURM_STEP_ID", "3", 1);
    ::setenv("SLURM_STEP_NUM_TASKS", "1", 1);
    ::setenv("SLURM_PROCID", "0", 1);
    CHECK_FALSE(is_started_as_rank());
    forget_srun();
    CHECK(std::getenv("SLURM_STEP_ID") == nullptr);
    forget_all_ranks();
}

TEST_CASE("How srun lets its ranks find each other") {
    forget_all_ranks();
    CHECK(interface_of_srun() == SrunInterface::none);
    ::setenv("PMI_FD", "5", 1);
    CHECK(interface_of_srun() == SrunInterface::pmi2);
    ::setenv("PMIX_NAMESPACE", "slurm.pmix.7.0", 1);
    CHECK(interface_of_srun() == SrunInterface::pmix);
    forget_all_ranks();
}

TEST_CASE("A process is a rank if mpirun or a step of srun says so, not in a batch script") {
    forget_all_ranks();
    ::setenv("SLURM_PROCID", "0", 1);
    CHECK_FALSE(is_started_as_rank());
    ::setenv("SLURM_STEP_ID", "1", 1);
    ::setenv("SLURM_PROCID", "3", 1);
    ::setenv("SLURM_STEP_NUM_TASKS", "4", 1);
    CHECK(is_started_as_rank());
    CHECK(rank_from_environment() == 3);
    CHECK(ranks_from_srun() == 4);
    ::unsetenv("SLURM_STEP_ID");
    ::unsetenv("SLURM_PROCID");
    for (const char* name : {"PMIX_RANK", "PMI_RANK"}) {  // left over from elsewhere
        ::setenv(name, "0", 1);
        CHECK_FALSE(is_started_as_rank());
        ::unsetenv(name);
    }
    ::setenv("OMPI_COMM_WORLD_RANK", "2", 1);
    CHECK(is_started_as_rank());
    CHECK(rank_from_environment() == 2);
    CHECK(ranks_from_srun() == 1);
    forget_all_ranks();
}

TEST_CASE("A batch job is one by its system's variable") {
    for (const char* name :
         {"SLURM_JOB_ID", "SLURM_JOBID", "PBS_JOBID", "LSB_JOBID", "PE_HOSTFILE"})
        ::unsetenv(name);
    CHECK_FALSE(is_in_batch_job());
    ::setenv("PBS_JOBID", "12.server", 1);
    CHECK(is_in_batch_job());
    ::unsetenv("PBS_JOBID");
    CHECK_FALSE(is_in_batch_job());
}

TEST_CASE("There is a core") { CHECK(available_cores() >= 1); }

template <class Error>
int exit_code_for(const Error& error) {
    return failure_of(std::make_exception_ptr(error)).exit_code();
}

TEST_CASE("Every error has its exit code of sysexits") {
    using storage::StorageError;
    using trainer::DataError;
    CHECK(exit_code_for(UsageError("")) == 64);
    CHECK(exit_code_for(SpecError({})) == 78);
    CHECK(exit_code_for(trainer::ShapeError("", 0, {})) == 78);
    CHECK(exit_code_for(DataError(DataError::Kind::missing, "")) == 66);
    CHECK(exit_code_for(DataError(DataError::Kind::damaged, "")) == 65);
    CHECK(exit_code_for(DataError(DataError::Kind::unreadable, "")) == 74);
    CHECK(exit_code_for(DataError(DataError::Kind::bad_request, "")) == 78);
    CHECK(exit_code_for(StorageError(StorageError::Kind::cannot_create, "")) == 73);
    CHECK(exit_code_for(StorageError(StorageError::Kind::io, "")) == 74);
    CHECK(exit_code_for(StorageError(StorageError::Kind::bad_data, "")) == 65);
    CHECK(exit_code_for(StorageError(StorageError::Kind::bad_statement, "")) == 64);
    CHECK(exit_code_for(StorageError(StorageError::Kind::missing, "")) == 66);
    CHECK(exit_code_for(StorageError(StorageError::Kind::no_permission, "")) == 77);
    CHECK(exit_code_for(trainer::WeightsError("")) == 65);
    CHECK(exit_code_for(trainer::NonFiniteWeights(1, "dense/kernel holds nan")) == 1);
    CHECK(exit_code_for(trainer::CommError("")) == 70);
    CHECK(exit_code_for(trainer::ReplicaError("")) == 70);
    CHECK(exit_code_for(std::bad_alloc()) == 71);
    CHECK(exit_code_for(trainer::OutOfMemory(1)) == 71);
    CHECK(exit_code_for(std::system_error(EAGAIN, std::generic_category())) == 71);
    CHECK(exit_code_for(std::system_error(EPERM, std::generic_category())) == 70);
    CHECK(exit_code_for(Failure(kExitCannotCreate, "")) == 73);
    CHECK(exit_code_for(42) == 70);
}

}  // namespace
}  // namespace lockstep::pipeline
