// Several jobs, and groups of ranks, on one store: each run is trained once, whoever dies, and
// whoever holds the database.

#include <signal.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/storage/raw_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> with_short_lease(std::vector<std::string> command) {
    command.insert(command.begin(), {"env", "LOCKSTEP_LEASE_SECONDS=3"});
    return command;
}

std::vector<std::string> job(const fs::path& store, int ranks,
                             const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"run",     smoke_file(),  "--ranks", std::to_string(ranks),
                                       "--store", store.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return with_short_lease(lockstep_command(arguments));
}

void check_same_weights(const fs::path& store, const fs::path& other) {
    for (const char* run : {"batch-normalized", "logits-seed1", "logits-seed2", "three-classes"}) {
        INFO(run);
        CHECK(read_text(run_folder(store, run) / "final.h5") ==
              read_text(run_folder(other, run) / "final.h5"));
    }
}

const std::vector<std::string> kLong{"--set", "train.epochs=60"};

TEST_CASE("Of four jobs on one store each run is trained once; one that is killed loses none",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    std::vector<std::unique_ptr<Process>> jobs;
    for (int i = 0; i < 4; ++i) jobs.push_back(std::make_unique<Process>(job(store, 1, kLong)));
    std::string victim;
    wait_until([&] {
        if (!fs::exists(store / "lockstep.db")) return false;
        try {
            victim = rows(store, "select pid from attempts where outcome = 'running' limit 1");
        } catch (const std::exception&) {
            return false;  // the store is only being made
        }
        return !victim.empty();
    });
    kill(std::stoi(victim), SIGKILL);
    for (const auto& each : jobs) {
        const int code = each->wait();
        INFO(each->errors());
        const bool is_victim = each->pid() == std::stoi(victim);
        CHECK((is_victim ? code == 128 + SIGKILL : code == 0 || code == 76));
    }
    Process last(job(store, 1, kLong));
    CHECK(last.wait() == 0);
    CHECK(rows(store, "select state, count(*) from v_runs group by state") == "finished,4\n");
    const std::string attempts = rows(store, "select count(*) from attempts");
    CHECK((attempts == "5\n" || attempts == "4\n"));  // the victim may have been done just then
    const fs::path alone = folder / "alone";
    CHECK(Process(job(alone, 1, kLong)).wait() == 0);
    CHECK(rows(store, "select count(*) from epochs") == rows(alone, "select count(*) from epochs"));
    check_same_weights(store, alone);
}

TEST_CASE("Groups that take the next run give the bits of one by one", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path packed = folder / "packed";
    const fs::path alone = folder / "alone";
    Process two(job(packed, 2, {"--set", "parallel.ranks_per_run=1"}));
    const int code = two.wait();
    INFO(two.errors());
    CHECK(code == 0);
    CHECK(Process(job(alone, 1, {"--set", "parallel.ranks_per_run=1"})).wait() == 0);
    CHECK(rows(packed, "select state, attempts, count(*) from v_runs group by 1, 2") ==
          "finished,1,4\n");
    check_same_weights(packed, alone);
}

// Three runs that train and one whose loss becomes a NaN at once.
void write_groups(const fs::path& file, const std::string& name) {
    std::ofstream(file) << "schema = 1\n[experiment]\nname = \"" << name << R"("
[data]
dataset = "synthetic"
training_samples = 203
test_samples = 50
validation = "none"
[train]
batch_size = 16
epochs = 3
[parallel]
ranks_per_run = 1
[[run]]
name = "good"
train = { seeds = [1, 2, 3], optimizer = "sgd" }
layers = [ { type = "flatten" }, { type = "dense", units = 10, activation = "softmax" } ]
[[run]]
name = "bad"
train = { optimizer = { name = "sgd", learning_rate = 100.0 } }
layers = [ { type = "flatten" }, { type = "dense", units = 64 }, { type = "dense", units = 10 } ]
)";
}

std::vector<std::string> groups(const fs::path& file, const fs::path& store, int ranks) {
    return lockstep_command({"run", file.string(), "--ranks", std::to_string(ranks), "--store",
                             store.string(), "--max-restarts", "1"});
}

bool has_token_file(const fs::path& store) {
    return std::any_of(
        fs::directory_iterator(store), fs::directory_iterator(), [](const auto& each) {
            return each.path().filename().string().find("shared") != std::string::npos;
        });
}

TEST_CASE("Of groups of ranks one run that fails does not end the others", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path file = folder / "groups.toml", store = folder / "store";
    write_groups(file, "groups");
    Process training(groups(file, store, 2));
    const int code = training.wait();
    INFO(training.errors());
    CHECK(code == 1);
    const std::string states =
        "bad,failed,1\ngood-seed1,finished,1\ngood-seed2,finished,1\n"
        "good-seed3,finished,1\n";
    CHECK(rows(store, "select name, state, attempts from v_runs order by name") == states);
    CHECK(Process(groups(file, folder / "alone", 1)).wait() == 1);
    for (const char* run : {"good-seed1", "good-seed2", "good-seed3"}) {
        CHECK(read_text(run_folder(store, run) / "final.h5") ==
              read_text(run_folder(folder / "alone", run) / "final.h5"));
    }
    CHECK(Process(groups(file, store, 2)).wait() == 1);
    CHECK(rows(store, "select name, state, attempts from v_runs order by name") == states);
    CHECK_FALSE(has_token_file(store));
}

// What failed in the first start of the ranks is not tried again by the second of the same job.
TEST_CASE("Ranks that are started again are of the same job", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path file = folder / "groups.toml", store = folder / "store";
    write_groups(file, "groups");
    CHECK(Process(groups(file, store, 2)).wait() == 1);
    std::vector<std::string> command = groups(file, store, 2);
    command.push_back("--fresh");
    command.insert(command.begin(),
                   {"env", "LOCKSTEP_FAULT=step.begin@rank=1@step=25@attempt=1:kill"});
    Process restarted(command);
    CHECK(restarted.wait() == 1);
    INFO(restarted.errors());
    CHECK(restarted.errors().find("the ranks start again") != std::string::npos);
    CHECK(rows(store,
               "select count(distinct substr(job_token, 1, 16)), count(distinct job_token) "
               "from attempts") == "2,3\n");
    CHECK(rows(store, "select name, attempts from v_runs where state = 'failed'") == "bad,2\n");
    CHECK(rows(store, "select count(*) from v_runs where state = 'finished'") == "3\n");
    CHECK_FALSE(has_token_file(store));
}

TEST_CASE("Groups whose hosts see different stores are refused, with the host", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path file = folder / "groups.toml";
    write_groups(file, "groups");
    const auto own = [&](const char* store) {
        return lockstep_command({"run", file.string(), "--store", (folder / store).string()});
    };
    Process split(mpirun_of_two(own("one"), own("other")));
    CHECK(split.wait() == 66);
    const std::string errors = split.errors();
    INFO(errors);
    CHECK(errors.find("rank 1 on ") != std::string::npos);
    CHECK(errors.find("does not see the store") != std::string::npos);
    CHECK(rows(folder / "one", "select count(*) from attempts") == "0\n");
    CHECK_FALSE(has_token_file(folder / "one"));
    Process together(mpirun_of_two(own("one"), own("one")));
    CHECK(together.wait() == 1);  // one of its runs fails
    CHECK(rows(folder / "one", "select count(*) from v_runs where state = 'finished'") == "3\n");
}

TEST_CASE("An experiment lists its runs, whoever trained them", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    for (const char* name : {"first", "second"}) {
        write_groups(folder / name, name);
        CHECK(Process(groups(folder / name, store, 1)).wait() == 1);
    }
    const auto names_of = [&](const char* name) {
        return lockstep({"ls", "--experiment", name, "--columns", "name", "--format", "csv",
                         "--store", store.string()})
            .output;
    };
    CHECK(rows(store, "select count(*), sum(attempts) from v_runs") == "4,4\n");
    CHECK(names_of("second") == names_of("first"));
    CHECK(names_of("second").find("good-seed2") != std::string::npos);
    CHECK(read_text(store / "reports/second/report.csv").find("good-seed2") != std::string::npos);
    CHECK(lockstep({"compare", "--experiment", "second", "--store", store.string()}).exit_code ==
          0);
    CHECK(lockstep({"rm", "--experiment", "second", "--yes", "--store", store.string()})
              .output.find("good") == std::string::npos);
    CHECK(rows(store, "select count(*) from runs") == "4\n");
}

// Holds the database, as a browser of databases may, until it lets go without a commit.
class Holder {
public:
    Holder(const fs::path& store, const std::string& statements) {
        database_.emplace(store / "lockstep.db");
        database_->exec(statements);
    }
    void let_go() { database_.reset(); }

private:
    std::optional<RawDatabase> database_;
};

std::ptrdiff_t lines_of(const fs::path& file) {
    if (!fs::exists(file)) return 0;
    const std::string text = read_text(file);
    return std::count(text.begin(), text.end(), '\n');
}

// Epochs of an eighth of a second: the holder comes mostly between two commits.
TEST_CASE("A reader that holds the database does not end a training: its rows are taken in later",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string run = "batch-normalized";
    Process training(job(
        store, 1,
        {"--only", run, "--set", "train.epochs=200000", "--set", "data.training_samples=20000"}));
    wait_until([&] { return log_of(store, run).find("Epoch 2/200000") != std::string::npos; });
    const fs::path spool = run_folder(store, run) / "spool-1.jsonl";
    // Of a reader only the commits fail.
    Holder holder(store, GENERATE("BEGIN EXCLUSIVE", "BEGIN; SELECT count(*) FROM runs"));
    wait_until([&] { return lines_of(spool) >= 4 || !training.is_running(); });
    INFO(training.errors());
    CHECK(training.is_running());
    SECTION("it lets go while the training lasts") {
        holder.let_go();
        wait_until([&] { return !fs::exists(spool) || !training.is_running(); });
        training.send(SIGTERM);
        CHECK(training.wait() == 75);
        CHECK(rows(store, "select state from runs") == "interrupted\n");
    }
    SECTION("it outlasts the training, whose next start takes the rows in") {
        training.send(SIGTERM);
        CHECK(training.wait() == 75);
        CHECK(training.errors().find("rows are kept beside the run") != std::string::npos);
        holder.let_go();
        Process again(job(store, 1,
                          {"--only", run, "--set", "train.epochs=200000", "--set",
                           "data.training_samples=20000"}));
        wait_until([&] { return !fs::exists(spool) || !again.is_running(); });
        again.send(SIGTERM);
        CHECK(again.wait() == 75);
        CHECK(rows(store, "select attempts, state from v_runs") == "2,interrupted\n");
    }
    CHECK_FALSE(fs::exists(spool));
    CHECK(rows(store, "select max(epoch) - count(*), min(epoch) from epochs") == "0,1\n");
}

}  // namespace
}  // namespace lockstep::tests
