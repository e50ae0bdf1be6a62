#include "pipeline/ranks/allocation.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/failure/failure.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::pipeline {
namespace {

// The variables of a job, and none of another one, as long as it lives.
class Job {
public:
    explicit Job(const std::vector<std::pair<std::string, std::string>>& variables) {
        clear();
        for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    }
    ~Job() { clear(); }
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

private:
    static void clear() {
        for (const char* name :
             {"SLURM_JOB_ID", "SLURM_JOBID", "SLURM_JOB_NUM_NODES", "SLURM_NNODES", "SLURM_NTASKS",
              "SLURM_NPROCS", "SLURM_TASKS_PER_NODE", "SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE",
              "SLURM_JOB_CPUS_PER_NODE", "PBS_JOBID", "PBS_NODEFILE", "PBS_NP", "NCPUS",
              "LSB_JOBID", "LSB_DJOB_HOSTFILE", "LSB_DJOB_NUMPROC", "NSLOTS", "PE_HOSTFILE"}) {
            ::unsetenv(name);
        }
    }
};

// With so many cores for this process: the ranks of a job.
int ranks_of(const std::vector<std::pair<std::string, std::string>>& variables, int cores) {
    const Job job(variables);
    return allocation(cores).ranks;
}

TEST_CASE("Slurm's counts of nodes are summed") {
    CHECK(sum_over_nodes("4") == 4);
    CHECK(sum_over_nodes("2(x3),1") == 7);
    CHECK(sum_over_nodes("16,8(x2)") == 32);
    for (const char* text : {"", "0", "x", "2(x", "2(x3", "2(x0)", "2;3", "-1", "2(x1000000)"}) {
        CHECK(sum_over_nodes(text) == 0);
    }
}

TEST_CASE("Without a batch job the ranks are the cores") {
    CHECK(ranks_of({}, 6) == 6);
    CHECK(ranks_of({{"SLURM_NTASKS", "3"}}, 6) == 6);  // left over
}

TEST_CASE("In Slurm the ranks are the tasks, not the cores of the node") {
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "16"}, {"SLURM_NNODES", "2"}}, 8) ==
          16);
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "2"}, {"SLURM_NNODES", "2"}}, 64) == 2);
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}}, 2) == 4);  // asked for
    // --ntasks-per-node alone
    CHECK(
        ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NNODES", "2"}, {"SLURM_TASKS_PER_NODE", "4(x2)"}},
                 64) == 8);
}

TEST_CASE("In Slurm a single task has a rank for each of its CPUs") {
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "1"}}, 64) == 1);
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "1"}, {"SLURM_CPUS_PER_TASK", "2"}},
                   64) == 2);
    // Two hardware threads are one core.
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "1"}, {"SLURM_CPUS_PER_TASK", "2"}},
                   1) == 1);
}

TEST_CASE("In Slurm a job that asked for no tasks has what its nodes give") {
    CHECK(ranks_of(
              {{"SLURM_JOB_ID", "7"}, {"SLURM_TASKS_PER_NODE", "1"}, {"SLURM_CPUS_ON_NODE", "8"}},
              64) == 8);
    CHECK(ranks_of({{"SLURM_JOB_ID", "7"},
                    {"SLURM_NNODES", "2"},
                    {"SLURM_TASKS_PER_NODE", "1(x2)"},
                    {"SLURM_JOB_CPUS_PER_NODE", "8(x2)"}},
                   8) == 16);
}

TEST_CASE("What mpirun may use by itself in Slurm are the tasks") {
    const Job job({{"SLURM_JOB_ID", "7"},
                   {"SLURM_NTASKS", "1"},
                   {"SLURM_TASKS_PER_NODE", "1"},
                   {"SLURM_CPUS_PER_TASK", "4"}});
    CHECK(allocation(8).ranks == 4);
    CHECK(allocation(8).slots == 1);
    CHECK(allocation(8).nodes == 1);
}

TEST_CASE("In PBS the ranks are the lines of its file of nodes") {
    const tests::TemporaryDirectory folder;
    const std::string file = (folder / "nodes").string();
    std::ofstream(file) << "node1\nnode1\nnode2\nnode2\n";
    const Job job({{"PBS_JOBID", "7.server"}, {"PBS_NODEFILE", file}});
    CHECK(allocation(64).ranks == 4);
    CHECK(allocation(64).nodes == 2);
    CHECK(allocation(64).hosts == "node1:2,node2:2");
    CHECK(allocation(64).slots == 4);
}

TEST_CASE("In PBS a single node has its CPUs where no ranks were asked for") {
    const tests::TemporaryDirectory folder;
    const std::string file = (folder / "nodes").string();
    std::ofstream(file) << "node1\n";
    const Job job({{"PBS_JOBID", "7.server"}, {"PBS_NODEFILE", file}, {"NCPUS", "8"}});
    CHECK(allocation(64).ranks == 8);
    CHECK(allocation(64).hosts.empty());
    CHECK(ranks_of({{"PBS_JOBID", "7.server"}, {"PBS_NP", "12"}}, 64) == 12);
}

TEST_CASE("In LSF and Grid Engine the ranks are the slots") {
    CHECK(ranks_of({{"LSB_JOBID", "7"}, {"LSB_DJOB_NUMPROC", "16"}}, 64) == 16);
    CHECK(ranks_of({{"LSB_JOBID", "7"}}, 64) == 1);
    CHECK(ranks_of({{"NSLOTS", "12"}}, 64) == 12);
    const tests::TemporaryDirectory folder;
    const std::string file = (folder / "hosts").string();
    std::ofstream(file) << "node1 6 all.q@node1 UNDEFINED\nnode2 6 all.q@node2 UNDEFINED\n";
    const Job job({{"NSLOTS", "12"}, {"PE_HOSTFILE", file}});
    CHECK(allocation(64).ranks == 12);
    CHECK(allocation(64).nodes == 2);
    CHECK(allocation(64).hosts.empty());  // Open MPI reads that one by itself
}

TEST_CASE("A host of one line in a file of nodes has one slot, not one a core") {
    const tests::TemporaryDirectory folder;
    const std::string file = (folder / "nodes").string();
    std::ofstream(file) << "node1\nnode2\n";
    const Job job({{"LSB_JOBID", "7"}, {"LSB_DJOB_HOSTFILE", file}});
    CHECK(allocation(64).ranks == 2);
    CHECK(allocation(64).hosts == "node1:1,node2:1");
}

TEST_CASE("The hosts of a user's file have the slots it tells") {
    const tests::TemporaryDirectory folder;
    const std::filesystem::path file = folder / "hosts";
    std::ofstream(file)
        << "# ours\nnode1 slots=3\n\nnode2  max-slots=9 slots=2 # the old one\nnode1";
    const Allocation found = allocation_in(file);
    CHECK(found.hosts == "node1:4,node2:2");
    CHECK(found.ranks == 6);
    CHECK(found.slots == 6);
    CHECK(found.nodes == 2);
    std::ofstream(file) << "# nothing\n";
    CHECK_THROWS_AS(allocation_in(file), Failure);
    std::ofstream(file) << "node1 slots=many\n";
    CHECK_THROWS_AS(allocation_in(file), Failure);
    CHECK_THROWS_AS(allocation_in(folder / "missing"), Failure);
}

}  // namespace
}  // namespace lockstep::pipeline
