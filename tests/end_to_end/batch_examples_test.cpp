// The scripts of examples/ for systems that are not here, run as those would: their variables set,
// their programs stood in for. (Slurm's run in a real one: tests/slow/slurm_test.sh.)

#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
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
    // Exit codes where the program's own is not kept: for which the system starts the job again,
    // and after attempts that got no further.
    std::optional<int> requeued;
    std::optional<int> given_up;
};

const std::vector<System>& systems() {
    static const std::vector<System> kSystems{
        {"pbs.sh", {"PBS_JOBID=7.server", "PBS_NODEFILE=hosts", "NCPUS=1"}, false, {}, {}},
        {"lsf.sh", {"LSB_JOBID=7", "LSB_DJOB_HOSTFILE=hosts", "LSB_DJOB_NUMPROC=2"}, false, 75, 1},
        {"sge.sh", {"JOB_ID=7", "NSLOTS=2", "PE_HOSTFILE=slots"}, true, 99, {}},
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
        write_program(folder_ / "qsub", "echo \"$*\" >>submitted\necho \"$LOCKSTEP_ARGS\" >next\n");
    }

    // One more attempt of the job, on `program`, with these arguments of `lockstep run` as a shell
    // reads them.
    std::vector<std::string> command_with(const std::string& program,
                                          const std::string& arguments) const {
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
    // The same on the smallest experiment there is.
    std::vector<std::string> command(const std::string& program, const std::string& more) const {
        return command_with(
            program, smoke_file() + " --only batch-normalized --store store --quiet " + more);
    }
    int attempt(const std::string& program, const std::string& more = "") const {
        return run_to_end(command(program, more)).exit_code;
    }
    // A program that ends with this code, once it has written its arguments down, one a line.
    std::string program_that_ends_with(int code) const {
        write_program(folder_ / "stand-in",
                      "[[ $1 == run ]] || exit 0\nprintf '%s\\n' \"$@\" >arrived\nexit " +
                          std::to_string(code) + "\n");
        return (folder_ / "stand-in").string();
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

// Some; a store in the making is no failure.
bool has_epochs(const fs::path& store) {
    const Result result = lockstep(
        {"query", "select count(*) > 2 from epochs", "--store", store.string(), "--format", "csv"});
    return result.exit_code == 0 && result.output.ends_with("\n1\n");
}

TEST_CASE("A job of each batch system trains on what it was given, stops in time and goes on",
          "[end_to_end]") {
    for (const System& system : systems()) {
        INFO(system.script);
        const Jobs jobs(system);
        const fs::path store = jobs / "store";
        const std::string longer = "--set train.epochs=300";
        Process job(jobs.command(binary(), longer));
        wait_until([&] { return has_epochs(store); });
        job.send(SIGUSR1);
        CHECK(job.wait() == system.requeued.value_or(75));
        INFO(job.errors());
        CHECK(rows(store, "select ranks, outcome from attempts") == "2,interrupted\n");
        CHECK(fs::exists(jobs / "submitted") == (system.script == "pbs.sh"));
        if (system.script == "pbs.sh") {
            CHECK(read_text(jobs / "submitted") == "-V examples/pbs.sh\n");
            CHECK(read_text(jobs / "next") == "'" + smoke_file() +
                                                  "' '--only' 'batch-normalized' '--store' 'store'"
                                                  " '--quiet' '--set' 'train.epochs=300'\n");
        }
        CHECK(jobs.attempt(binary(), longer) == 0);
        CHECK(rows(store, "select count(*) from attempts") == "2\n");
        CHECK(rows(store, "select state from v_runs") == "finished\n");
        CHECK_FALSE(jobs.has_counters());
    }
}

// Stopped in time; a crash (abort, SIGSEGV), killed; mpirun lost a host.
TEST_CASE("A job that gets no further is started again once, and not for ever", "[end_to_end]") {
    for (const System& system : systems()) {
        for (const int code : {75, 134, 137, 139, 143, 205}) {
            INFO(system.script << ", " << code);
            Jobs jobs(system);
            const std::string program = jobs.program_that_ends_with(code);
            CHECK(jobs.attempt(program) == system.requeued.value_or(code));
            const bool is_submitted = fs::exists(jobs / "submitted");
            CHECK(is_submitted == (system.script == "pbs.sh"));
            fs::remove(jobs / "submitted");
            jobs.count_fruitless("1");
            CHECK(jobs.attempt(program) == system.given_up.value_or(code));
            CHECK_FALSE(fs::exists(jobs / "submitted"));
            CHECK_FALSE(jobs.has_counters());
        }
    }
}

TEST_CASE("Arguments with blanks, quotes and globs arrive as they are", "[end_to_end]") {
    // The file `hosts` is there for h*.
    const std::string arguments =
        R"(mine.toml --set 'train.optimizer={ name = "sgd" }' --only 'h*' )"
        R"(--data "it's here" --set a\ b)";
    const std::string arrived =
        "run\nmine.toml\n--set\ntrain.optimizer={ name = \"sgd\" }\n--only\nh*\n--data\nit's here\n"
        "--set\na b\n";
    for (const System& system : systems()) {
        INFO(system.script);
        const Jobs jobs(system);
        const bool is_pbs = system.script == "pbs.sh";
        const std::string expected = arrived + (is_pbs ? "--max-walltime\n04:00:00\n" : "");
        const std::string program = jobs.program_that_ends_with(75);
        run_to_end(jobs.command_with(program, arguments));
        CHECK(read_text(jobs / "arrived") == expected);
        if (!is_pbs) continue;
        fs::remove(jobs / "arrived");
        run_to_end(jobs.command_with(program, read_text(jobs / "next")));  // the job it submitted
        CHECK(read_text(jobs / "arrived") == expected);
    }
}

TEST_CASE("A quote that is left open in LOCKSTEP_ARGS is told, and nothing is started",
          "[end_to_end]") {
    for (const System& system : systems()) {
        if (system.takes_arguments) continue;
        INFO(system.script);
        const Jobs jobs(system);
        const Result result =
            run_to_end(jobs.command_with(jobs.program_that_ends_with(0), "mine.toml --only 'a"));
        CHECK(result.exit_code == 64);
        CHECK(result.errors.find(system.script + ": LOCKSTEP_ARGS: a quote is left open") !=
              std::string::npos);
        CHECK_FALSE(fs::exists(jobs / "arrived"));
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
