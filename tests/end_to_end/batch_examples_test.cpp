// The scripts of examples/ for systems that are not here, run as those would: their variables set,
// their programs stood in for. (Slurm's run in a real one: tests/slow/slurm_test.sh.)

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

struct System {
    std::string script;
    std::vector<std::string> variables;  // of a job with two slots on this machine
    bool takes_arguments;                // else they stand in LOCKSTEP_ARGS
    int requeued;                        // exit code for which the system starts the job again
    int given_up;                        // ... and after attempts that got no further
};

const std::vector<System>& systems() {
    static const std::vector<System> kSystems{
        {"pbs.sh", {"PBS_JOBID=7.server", "PBS_NODEFILE=hosts", "NCPUS=1"}, false, 75, 75},
        {"lsf.sh", {"LSB_JOBID=7", "LSB_DJOB_HOSTFILE=hosts", "LSB_DJOB_NUMPROC=2"}, false, 75, 1},
        {"sge.sh", {"JOB_ID=7", "NSLOTS=2", "PE_HOSTFILE=slots"}, true, 99, 75},
    };
    return kSystems;
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

void write_program(const fs::path& path, const std::string& text) {
    write_text(path, "#!/bin/bash\n" + text);
    fs::permissions(path, fs::perms::owner_all);
}

// A folder that jobs are submitted from.
class Jobs {
public:
    explicit Jobs(const System& system) : system_(system) {
        write_text(folder_ / "hosts", "here\nhere\n");
        write_text(folder_ / "slots", "here 2 all.q@here UNDEFINED\n");
        write_program(folder_ / "qsub", "echo \"$* $LOCKSTEP_ARGS\" >>submitted\n");
    }

    // One more attempt of the job, on `program`; `more` as arguments of `lockstep run`.
    std::vector<std::string> command(const std::string& program, const std::string& more) const {
        const std::string arguments =
            smoke_file() + " --only batch-normalized --store store --quiet " + more;
        std::vector<std::string> words{"env",
                                       "-C",
                                       folder_.path().string(),
                                       "PATH=.:" + std::string(std::getenv("PATH")),
                                       "PBS_O_WORKDIR=" + folder_.path().string(),
                                       "LOCKSTEP=" + program};
        words.insert(words.end(), system_.variables.begin(), system_.variables.end());
        if (!fruitless_.empty()) words.push_back("LOCKSTEP_FRUITLESS=" + fruitless_);
        const std::string script = LOCKSTEP_EXAMPLES "/" + system_.script;
        if (!system_.takes_arguments) words.push_back("LOCKSTEP_ARGS=" + arguments);
        words.insert(words.end(),
                     {"bash", "-c",
                      "exec bash " + script + (system_.takes_arguments ? " " + arguments : "")});
        return words;
    }
    int attempt(const std::string& program, const std::string& more = "") const {
        Process job(command(program, more));
        const int exit_code = job.wait();
        INFO(job.errors());
        return exit_code;
    }
    // As qsub's -V hands it to the next job.
    void count_fruitless(const std::string& count) { fruitless_ = count; }

    fs::path operator/(const std::string& name) const { return folder_ / name; }
    bool has_counters() const {
        for (const auto& entry : fs::directory_iterator(folder_.path()))
            if (entry.path().extension() == ".fruitless") return true;
        return false;
    }

private:
    const System& system_;
    std::string fruitless_;
    TemporaryDirectory folder_;
};

const std::string& binary() {
    static const std::string kBinary = lockstep_command({}).front();
    return kBinary;
}

TEST_CASE("A job of each batch system trains on what it was given, stops in time and goes on",
          "[end_to_end]") {
    for (const System& system : systems()) {
        INFO(system.script);
        const Jobs jobs(system);
        const fs::path store = jobs / "store";
        const std::string longer = "--set train.epochs=300";
        Process job(jobs.command(binary(), longer));
        wait_until([&] {
            return fs::exists(store / "lockstep.db") &&
                   rows(store, "select count(*) > 2 from epochs") == "1\n";
        });
        job.send(SIGUSR1);
        CHECK(job.wait() == system.requeued);
        INFO(job.errors());
        CHECK(rows(store, "select ranks, outcome from attempts") == "2,interrupted\n");
        CHECK(fs::exists(jobs / "submitted") == (system.script == "pbs.sh"));
        if (system.script == "pbs.sh") {
            CHECK(read_text(jobs / "submitted").find("examples/pbs.sh " + smoke_file()) !=
                  std::string::npos);
            CHECK(read_text(jobs / "submitted").find(longer) != std::string::npos);
        }
        CHECK(jobs.attempt(binary(), longer) == 0);
        CHECK(rows(store, "select count(*) from attempts") == "2\n");
        CHECK(rows(store, "select state from v_runs") == "finished\n");
        CHECK_FALSE(jobs.has_counters());
    }
}

TEST_CASE("A job that gets no further is not started for ever", "[end_to_end]") {
    for (const System& system : systems()) {
        INFO(system.script);
        Jobs jobs(system);
        write_program(jobs / "stand-in", "[[ $1 == run ]] || exit 0\nexit 75\n");
        const std::string program = (jobs / "stand-in").string();
        CHECK(jobs.attempt(program) == system.requeued);
        const bool is_submitted = fs::exists(jobs / "submitted");
        CHECK(is_submitted == (system.script == "pbs.sh"));
        fs::remove(jobs / "submitted");
        jobs.count_fruitless("1");
        CHECK(jobs.attempt(program) == system.given_up);
        CHECK_FALSE(fs::exists(jobs / "submitted"));
        CHECK_FALSE(jobs.has_counters());
    }
}

TEST_CASE("An error that would come again ends a job with its code", "[end_to_end]") {
    for (const System& system : systems()) {
        INFO(system.script);
        const Jobs jobs(system);
        CHECK(jobs.attempt(binary(), "--set train.epochs=none") == 78);
        CHECK_FALSE(fs::exists(jobs / "submitted"));
        CHECK_FALSE(jobs.has_counters());
    }
}

}  // namespace
}  // namespace lockstep::tests
