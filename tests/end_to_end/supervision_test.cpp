// What becomes of a training whose ranks are lost: who started them names the first cause and
// starts them again, to the same bytes; nothing hangs.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRun = "batch-normalized";

std::vector<std::string> arguments(const fs::path& store) {
    return {"run",     smoke_file(),   "--only",  kRun, "--set",      "train.epochs=3",
            "--store", store.string(), "--ranks", "2",  "--progress", "none"};
}

// The arguments of ranks that others start.
std::vector<std::string> rank_arguments(const fs::path& store) {
    std::vector<std::string> all = arguments(store);
    all.erase(all.end() - 4, all.end() - 2);  // --ranks 2
    return all;
}

std::vector<std::string> with_fault(const std::string& fault, std::vector<std::string> command) {
    const std::string variable = "LOCKSTEP_FAULT=" + fault;
    command.insert(command.begin(), {"env", variable});
    return command;
}

struct Training {
    int exit_code = 0;
    std::string errors;
};

Training train(const fs::path& store, const std::string& fault,
               const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = arguments(store);
    all.insert(all.end(), more.begin(), more.end());
    Process process(with_fault(fault, lockstep_command(all)));
    const int exit_code = process.wait();
    CHECK(processes_with(store.string(), "--as-rank").empty());
    return {exit_code, process.errors()};
}

std::string final_weights(const fs::path& store) {
    return read_text(run_folder(store, kRun) / "final.h5");
}

// Of a run that nothing ended; trained once.
const std::string& expected_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(train(folder / "store", "").exit_code == 0);
        return final_weights(folder / "store");
    }();
    return bytes;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

struct Crash {
    std::string fault, cause;
};

void check_goes_on(const Crash& crash) {
    CAPTURE(crash.fault);
    const TemporaryDirectory folder;
    const Training training = train(folder / "store", crash.fault);
    INFO(training.errors);
    CHECK(training.exit_code == 0);
    CHECK(contains(training.errors, crash.cause));
    CHECK(contains(training.errors, contains(crash.fault, "rank=0") ? "rank 0 (" : "rank 1 ("));
    CHECK(contains(training.errors, "restart 1 of 3"));
    CHECK(final_weights(folder / "store") == expected_weights());
    CHECK(rows(folder / "store", "select count(*) from epochs") == "3\n");
}

// 10 steps an epoch
TEST_CASE("A rank that crashes is named, and the run goes on by itself to the same bytes",
          "[end_to_end]") {
    check_goes_on(GENERATE(
        Crash{"exchange@rank=1@step=13@attempt=1:kill",
              "killed by signal 9 (Killed) in exchange, step 13"},
        Crash{"exchange@rank=0@step=20@attempt=1:exit=0",
              "ended early, with exit code 0 in exchange, step 20"},
        Crash{"step.after_update@rank=0@step=29@attempt=1:abort", "killed by signal 6 (Aborted)"},
        Crash{"ckpt.before_rename@rank=0@count=2@attempt=1:kill", "killed by signal 9 (Killed)"}));
}

TEST_CASE("The same at more places", "[.slow][end_to_end]") {
    check_goes_on(GENERATE(
        Crash{"init@rank=1@attempt=1:kill", "killed by signal 9 (Killed) in starting"},
        Crash{"data.load@rank=1@attempt=1:kill", "killed by signal 9 (Killed) in loading data"},
        Crash{"step.begin@rank=0@step=0@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"step.after_forward@rank=1@step=9@attempt=1:segv", "killed by signal 11"},
        Crash{"step.after_update@rank=1@step=11@attempt=1:exit=3", "ended with exit code 3"},
        Crash{"epoch.end@rank=1@attempt=1:kill", "killed by signal 9 (Killed) in"},
        Crash{"ckpt.serialize@rank=0@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"ckpt.before_fsync@rank=0@count=2@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"ckpt.after_rename@rank=0@count=2@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"db.begin@rank=0@count=5@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"db.before_commit@rank=0@count=6@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"db.after_commit@rank=0@count=6@attempt=1:kill", "killed by signal 9 (Killed)"},
        Crash{"finalize@rank=1@attempt=1:kill", "killed by signal 9 (Killed) in ending"}));
}

TEST_CASE("A rank that hangs or is stopped is named with what it does, and the run goes on",
          "[end_to_end]") {
    struct Case {
        std::string fault, place;
    };
    const auto [fault, place] =
        GENERATE(Case{"step.after_forward@rank=1@step=12@attempt=1:hang", "in forward, step 12"},
                 Case{"exchange@rank=0@step=15@attempt=1:stop",
                      "in exchange, step 15; the process is stopped"});
    const TemporaryDirectory folder;
    const Training training = train(folder / "store", fault, {"--stall-timeout", "3s"});
    INFO(training.errors);
    CHECK(training.exit_code == 0);
    CHECK(contains(training.errors, "no progress for 3 s " + place));
    CHECK(final_weights(folder / "store") == expected_weights());
    CHECK(rows(folder / "store", "select outcome from attempts") == "interrupted\nfinished\n");
}

TEST_CASE("A crash that comes again ends the job, each attempt in a row of its own",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const Training training = train(folder / "store", "step.begin@rank=1@step=4:kill");
    INFO(training.errors);
    CHECK(training.exit_code == 128 + SIGKILL);
    CHECK(contains(training.errors, "two restarts brought no checkpoint further"));
    CHECK(rows(folder / "store",
               "select count(*), sum(cause like 'rank 1 (%killed by signal 9%step 4') from "
               "attempts") == "3,3\n");
}

TEST_CASE("A run that failed before hides nothing of a later kill", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string diverges =
        "run.batch-normalized.train.optimizer={ name = \"sgd\", "
        "learning_rate = 100.0 }";
    Process training(with_fault(
        "step.begin@rank=1@count=15:kill",
        lockstep_command({"run", smoke_file(), "--set", diverges, "--max-restarts", "0", "--ranks",
                          "2", "--store", store.string(), "--progress", "none"})));
    CHECK(training.wait() == 128 + SIGKILL);
    INFO(training.errors());
    CHECK(contains(training.errors(), "the loss became "));
    CHECK(contains(training.errors(), "was killed by signal 9 (Killed) in "));
    CHECK(rows(store,
               "select state, cause like '%killed by signal 9%' from v_runs where "
               "state != 'queued' order by run") == "failed,0\ninterrupted,1\n");
}

TEST_CASE("A store that does not answer when all is trained ends the job, and loses nothing",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::vector<std::string> all = arguments(store);
    if (GENERATE(false, true)) all[all.size() - 3] = "1";  // ranks
    all.insert(all.end(), {"--stall-timeout", "3s"});
    const Result hung = run_to_end(with_fault("report.write:hang", lockstep_command(all)));
    CHECK(hung.exit_code == 75);
    CHECK(contains(hung.errors, "has not answered in time; what was trained is stored"));
    CHECK(lockstep(all).exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
}

TEST_CASE("SIGKILL while the report is written leaves the one before whole", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    REQUIRE(train(store, "").exit_code == 0);
    const fs::path report = store / "reports/smoke/report.html";
    const std::string before = read_text(report);
    REQUIRE(contains(before, "</html>"));
    CHECK(
        run_to_end(with_fault("report.write:kill", lockstep_command(arguments(store)))).exit_code ==
        128 + SIGKILL);
    CHECK(read_text(report) == before);
    CHECK(train(store, "").exit_code == 0);
    CHECK(read_text(report) != before);  // it says when it was written
    const Result sound = lockstep({"fsck", "--store", store.string()});
    INFO(sound.output);
    CHECK(sound.exit_code == 0);
}

// The ranks' restart trains what the job began with.
TEST_CASE("An experiment file that is spoiled or removed in a run means the next job",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path file = folder / "own.toml", store = folder / "store";
    fs::copy_file(smoke_file(), file);
    Process training(
        lockstep_command({"run", file.string(), "--only", kRun, "--set", "train.epochs=120",
                          "--store", store.string(), "--ranks", "2", "--progress", "none"}));
    wait_until([&] {
        if (!training.is_running()) throw std::runtime_error(training.errors());
        return log_of(store, kRun).find("Epoch 3/120") != std::string::npos;
    });
    if (GENERATE(false, true))
        fs::remove(file);
    else
        std::ofstream(file) << "no experiment\n";
    ::kill(ranks_on(store).back(), SIGKILL);
    CHECK(training.wait() == 0);
    CHECK(contains(training.errors(), "restart 1 of 3"));
    CHECK(rows(store, "select state from runs") == "finished\n");
    for (const fs::path& entry : fs::directory_iterator(store))
        CHECK_FALSE(contains(entry.filename().string(), ".tmp."));
}

TEST_CASE("An error that a rank tells is no reason for a restart", "[end_to_end]") {
    const TemporaryDirectory folder;
    const Training training = train(folder / "store", "step.begin@rank=1@step=4:error");
    CHECK(training.exit_code == 70);
    CHECK(contains(training.errors, "rank 1 ("));
    CHECK(contains(training.errors, "a fault on purpose at step.begin"));
    CHECK_FALSE(contains(training.errors, "restart"));
    CHECK(
        rows(folder / "store", "select outcome, cause like '%a fault on purpose%' from attempts") ==
        "interrupted,1\n");
}

// Of rank 0 its own watchdog is stopped with it; one that ends with 0 has told nobody.
TEST_CASE("Under mpirun alone a stuck or vanished rank ends the job, resumable", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string rank = GENERATE("0", "1");
    const std::string action = GENERATE("stop", "kill", "exit=0");
    CAPTURE(rank, action);
    std::vector<std::string> all = rank_arguments(store);
    all.insert(all.end(), {"--stall-timeout", "2s"});
    Process job(with_fault("exchange@step=11@rank=" + rank + ":" + action, mpirun_command(2, all)));
    const int exit_code = job.wait();
    INFO(job.errors());
    CHECK(exit_code != 0);
    if (action == "stop") {
        CHECK(exit_code == 75);
        CHECK(contains(job.errors(), "lockstep: lost rank " + rank + " ("));
        CHECK(contains(job.errors(), "the process is stopped"));
    }
    wait_until([&] { return processes_with(store.string(), "lockstep").empty(); });
    CHECK(train(store, "").exit_code == 0);
    CHECK(final_weights(store) == expected_weights());
}

TEST_CASE("Ranks that wait for one which is another program end, resumable", "[end_to_end]") {
    const TemporaryDirectory folder;
    std::vector<std::string> all = rank_arguments(folder / "store");
    all.insert(all.end(), {"--stall-timeout", "2s"});
    Process job(mpirun_of_two(lockstep_command(all), {"/bin/true"}));
    CHECK(job.wait() == 75);
    INFO(job.errors());
    CHECK(contains(job.errors(), "has waited 2 s for all of them to start"));
}

// Whether a signal no longer ends lockstep by itself: it is blocked or has a handler.
bool is_held(pid_t process, int signal_number) {
    const std::string status = read_text("/proc/" + std::to_string(process) + "/status");
    // Before it is started it is a copy of this test, with its handlers.
    if (!status.starts_with("Name:\tlockstep\n")) return false;
    const auto has = [&](const std::string& key) {
        const std::size_t at = status.find("\n" + key + ":");
        if (at == std::string::npos) return false;
        const auto set = std::stoull(status.substr(at + key.size() + 2), nullptr, 16);
        return (set >> (signal_number - 1) & 1U) != 0;
    };
    return has("SigBlk") || has("SigCgt");
}

TEST_CASE("A wish to stop is kept from the start on: 75, however early", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::vector<std::string> all = arguments(store);
    all.insert(all.end(), {"--set", "train.epochs=1000000"});
    for (int moment = 1; moment <= 5; ++moment) {
        const int signal_number = moment % 2 == 0 ? SIGUSR1 : SIGTERM;
        CAPTURE(moment, signal_number);
        Process training(lockstep_command(all));
        // A signal before main() ends any program.
        wait_until([&] { return is_held(training.pid(), signal_number); });
        std::this_thread::sleep_for(std::chrono::milliseconds(180 * (moment - 1)));
        training.send(signal_number);
        if (moment % 3 == 0) training.send(SIGUSR1);  // the same wish once more
        CHECK(training.wait() == 75);
        CHECK(contains(training.errors(), "stopped early; the same command resumes"));
    }
}

bool are_stopped(const std::vector<pid_t>& processes) {
    return std::ranges::all_of(processes, [](pid_t process) {
        const std::string status = read_text("/proc/" + std::to_string(process) + "/status");
        return contains(status, "(stopped)");
    });
}

TEST_CASE("Ctrl-Z stops the ranks too, and fg lets them go on", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::vector<std::string> all = arguments(store);
    all.insert(all.end(), {"--set", "train.epochs=1000000"});
    Process training(lockstep_command(all));
    wait_until([&] { return contains(log_of(store, kRun), "Epoch 2/"); });
    const std::vector<pid_t> ranks = ranks_on(store);
    CHECK(ranks.size() == 2);
    training.send(SIGTSTP);
    wait_until([&] { return are_stopped(ranks) && are_stopped({training.pid()}); });
    training.send(SIGCONT);
    wait_until([&] { return !are_stopped({ranks[0]}) && !are_stopped({ranks[1]}); });
    training.send(SIGUSR1);
    CHECK(training.wait() == 75);
}

TEST_CASE("What a caller ignores or blocks of signals is nothing to a training", "[end_to_end]") {
    const TemporaryDirectory folder;
    std::vector<std::string> command = lockstep_command(arguments(folder / "store"));
    command.insert(command.begin(), {"sh", "-c", "trap '' CHLD USR1 TERM INT; exec \"$@\"", "sh"});
    CHECK(Process(command).wait() == 0);
}

TEST_CASE("Closed standard streams are no reason to hang or to stop", "[end_to_end]") {
    const TemporaryDirectory folder;
    std::vector<std::string> command = lockstep_command(arguments(folder / "store"));
    const std::string how = GENERATE("exec \"$@\" <&- >&- 2>&-", "\"$@\" 2>&1 | true; sleep 0.1");
    command.insert(command.begin(), {"sh", "-c", how, "sh"});
    CHECK(Process(command).wait() == 0);
    wait_until([&] { return processes_with((folder / "store").string(), "run").empty(); });
    CHECK(final_weights(folder / "store") == expected_weights());
}

// A copy of the program that the linker would have given another id.
fs::path other_build(const fs::path& folder) {
    std::string bytes = read_text(LOCKSTEP_BINARY);
    const std::string note("\4\0\0\0\24\0\0\0\3\0\0\0GNU\0", 16);
    const std::size_t place = bytes.find(note);
    REQUIRE(place != std::string::npos);
    bytes[place + note.size()] ^= 1;
    std::ofstream(folder / "lockstep", std::ios::binary) << bytes;
    fs::permissions(folder / "lockstep", fs::perms::owner_all);
    return folder / "lockstep";
}

TEST_CASE("Ranks of two builds do not train together; both are named", "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::vector<std::string> own = lockstep_command(rank_arguments(folder / "store"));
    std::vector<std::string> other = own;
    other.front() = other_build(folder.path()).string();
    Process job(mpirun_of_two(own, other));
    CHECK(job.wait() == 69);
    INFO(job.errors());
    CHECK(contains(job.errors(), "lockstep: rank 1 ("));
    CHECK(contains(job.errors(), ", but rank 0 ("));
    CHECK(contains(job.errors(), "all ranks need one build"));
}

TEST_CASE("Ranks with different instruction sets agree on the lesser, to its bits",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const std::vector<std::string> own = lockstep_command(rank_arguments(folder / "mixed"));
    std::vector<std::string> lesser = own;
    lesser.insert(lesser.begin(), {"env", "ONEDNN_MAX_CPU_ISA=AVX2"});
    Process mixed(mpirun_of_two(own, lesser));
    CHECK(mixed.wait() == 0);
    std::vector<std::string> alike = lockstep_command(arguments(folder / "alike"));
    alike.insert(alike.begin(), {"env", "ONEDNN_MAX_CPU_ISA=AVX2"});
    CHECK(Process(alike).wait() == 0);
    CHECK(final_weights(folder / "mixed") == final_weights(folder / "alike"));
    CHECK(rows(folder / "mixed", "select isa, simd_target from attempts") == "avx2,AVX2\n");
}

TEST_CASE("What mpirun or the system gives too little of is told in words", "[end_to_end]") {
    const TemporaryDirectory folder;
    Process job(mpirun_command(2, [&] {
        std::vector<std::string> all = rank_arguments(folder / "store");
        all.insert(all.end(), {"--ranks", "3"});
        return all;
    }()));
    CHECK(job.wait() == 64);
    CHECK(contains(job.errors(), "--ranks 3, but mpirun or srun has started 2"));
    std::vector<std::string> command = lockstep_command(arguments(folder / "store"));
    command.insert(command.begin(), {"sh", "-c", "ulimit -n 32; exec \"$@\"", "sh"});
    Process few(command);
    CHECK(few.wait() == 71);
    CHECK(contains(few.errors(), "2 ranks need 64 open files; ulimit -n allows 32"));
}

TEST_CASE("A fault that cannot be is refused in words", "[end_to_end]") {
    for (const std::string fault : {"nowhere:kill", "init:dance", "init@rank=x:kill", "init",
                                    "init@moon=1:kill", "init:exit"}) {
        const TemporaryDirectory folder;
        const Training training = train(folder / "store", fault);
        CHECK(training.exit_code == 64);
        CHECK(contains(training.errors, "LOCKSTEP_FAULT"));
    }
}

}  // namespace
}  // namespace lockstep::tests
