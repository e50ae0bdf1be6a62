// `lockstep merge` brings the runs of several stores into one, with their files: once, however
// often it is asked and wherever it is killed.

#include <signal.h>

#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/storage/raw_database.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> training(const fs::path& store, const std::string& run) {
    return lockstep_command(
        {"run", smoke_file(), "--only", run, "--ranks", "1", "--store", store.string()});
}

Result merge(const std::vector<fs::path>& from, const fs::path& into) {
    std::vector<std::string> words{"merge"};
    for (const fs::path& store : from) words.push_back(store.string());
    words.insert(words.end(), {"--store", into.string()});
    return lockstep(words);
}

// Two stores of one run each.
struct TwoStores {
    TwoStores() {
        REQUIRE(Process(training(one, "batch-normalized")).wait() == 0);
        REQUIRE(Process(training(other, "three-classes")).wait() == 0);
    }
    TemporaryDirectory folder;
    fs::path one = folder / "one";
    fs::path other = folder / "other";
};

const TwoStores& two_stores() {
    static const TwoStores stores;
    return stores;
}

// A copy of a run whose training was stopped in order after its first epoch.
void train_one_epoch(const fs::path& store) {
    std::vector<std::string> command = training(store, "batch-normalized");
    command.insert(
        command.begin(),
        {"env", "LOCKSTEP_FAULT=step.begin@step=12:sleep=1;step.after_update@step=12:kill"});
    CHECK(Process(command).wait() == 128 + SIGKILL);
    CHECK(rows(store, "select count(*) from epochs") == "1\n");
}

// A longer training, of four epochs, killed after some of them.
std::vector<std::string> long_training(const fs::path& store) {
    std::vector<std::string> command = training(store, "batch-normalized");
    command.insert(command.end(), {"--set", "train.epochs=4"});
    return command;
}

void train_epochs(const fs::path& store, int epochs) {
    const std::string step = std::to_string(10 * epochs + 2);
    std::vector<std::string> command = long_training(store);
    command.insert(command.begin(),
                   {"env", "LOCKSTEP_FAULT=step.begin@step=" + step +
                               ":sleep=1;step.after_update@step=" + step + ":kill"});
    CHECK(Process(command).wait() == 128 + SIGKILL);
    CHECK(rows(store, "select count(*) from epochs") == std::to_string(epochs) + "\n");
}

const std::string& long_weights() {
    static const std::string bytes = [] {
        const TemporaryDirectory folder;
        CHECK(Process(long_training(folder / "store")).wait() == 0);
        return read_text(run_folder(folder / "store", "batch-normalized") / "final.h5");
    }();
    return bytes;
}

// Stores of the same run: after one epoch, after three, and after all four.
struct LongStores {
    LongStores() {
        train_epochs(one, 1);
        train_epochs(three, 3);
        CHECK(Process(long_training(four)).wait() == 0);
    }
    TemporaryDirectory folder;
    fs::path one = folder / "one";
    fs::path three = folder / "three";
    fs::path four = folder / "four";
};

const LongStores& long_stores() {
    static const LongStores stores;
    return stores;
}

void damage(const fs::path& store, const char* file) {
    std::fstream stream(run_folder(store, "batch-normalized") / file,
                        std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(stream.seekp(9000));
    stream << 'x' << 'y';
}

void check_goes_on(const fs::path& store, const std::string& first_epoch) {
    CHECK(Process(long_training(store)).wait() == 0);
    CHECK(rows(store, "select state, max(first_epoch) from runs join attempts using (run)") ==
          "finished," + first_epoch + "\n");
    CHECK(read_text(run_folder(store, "batch-normalized") / "final.h5") == long_weights());
}

// By which two stores are told apart. The log aside: it is for people.
std::map<std::string, std::string> content_of(const fs::path& store) {
    std::map<std::string, std::string> content;
    for (const char* table : {"experiments", "runs", "attempts", "epochs", "steps", "metrics",
                              "artifacts", "experiment_runs"}) {
        content[table] = rows(store, std::string("select * from ") + table + " order by 1, 2");
    }
    content["events"] =
        rows(store, "select run, attempt, utc, kind, text from events order by 1, id");
    for (const auto& entry : fs::recursive_directory_iterator(store / "runs")) {
        const fs::path name = entry.path().filename();
        if (!entry.is_regular_file() || name == "log.txt" || name == "lock") continue;
        content[entry.path().lexically_relative(store).string()] = read_text(entry.path());
    }
    return content;
}

TEST_CASE("merge joins two stores, every row and every byte; again it changes nothing",
          "[end_to_end]") {
    const TwoStores& from = two_stores();
    const TemporaryDirectory folder;
    const fs::path into = folder / "into";
    const Result first = merge({from.one, from.other}, into);
    INFO(first.output << first.errors);
    CHECK(first.exit_code == 0);
    const auto joined = content_of(into);
    for (const fs::path& store : {from.one, from.other}) {
        for (const auto& [name, content] : content_of(store)) {
            INFO(name);
            if (name.starts_with("runs/")) CHECK(joined.at(name) == content);
            if (name != "experiments") CHECK(joined.at(name).find(content) != std::string::npos);
        }
    }
    CHECK(rows(into, "select name, state from runs order by 1") ==
          "batch-normalized,finished\nthree-classes,finished\n");
    const Result again = merge({from.other, from.one}, into);
    CHECK(again.exit_code == 0);
    CHECK(again.output.find("here already") != std::string::npos);
    CHECK(content_of(into) == joined);
    CHECK(merge({into}, into).exit_code == 0);
    CHECK(content_of(into) == joined);
    CHECK(lockstep({"fsck", "--store", into.string()}).exit_code == 0);
    CHECK(Process(training(into, "batch-normalized")).wait() == 0);
    CHECK(rows(into, "select sum(attempts) from v_runs") == "2\n");  // nothing was trained again
}

TEST_CASE("merge brings an unfinished run along, which goes on to the same bytes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path begun = folder / "begun", into = folder / "into";
    train_one_epoch(begun);
    CHECK(merge({begun}, into).exit_code == 0);
    CHECK(rows(into, "select state, attempts, epochs_finished from v_runs") == "interrupted,1,1\n");
    CHECK(rows(into, "select outcome from attempts") == "interrupted\n");
    CHECK(read_text(run_folder(into, "batch-normalized") / "checkpoint.h5") ==
          read_text(run_folder(begun, "batch-normalized") / "checkpoint.h5"));
    SECTION("it is trained on here") {
        CHECK(Process(training(into, "batch-normalized")).wait() == 0);
        CHECK(rows(into, "select state, attempts, epochs_finished from v_runs") ==
              "finished,2,2\n");
        CHECK(read_text(run_folder(into, "batch-normalized") / "final.h5") ==
              read_text(run_folder(two_stores().one, "batch-normalized") / "final.h5"));
        const auto before = content_of(into);
        CHECK(merge({begun}, into).output.find("kept") != std::string::npos);
        CHECK(content_of(into) == before);
    }
    SECTION("it was finished elsewhere") {
        CHECK(merge({two_stores().one}, into).output.find("taken") != std::string::npos);
        CHECK(rows(into, "select state, attempts from v_runs") == "finished,1\n");
        CHECK(content_of(into).at("epochs") == content_of(two_stores().one).at("epochs"));
    }
    CHECK(lockstep({"fsck", "--store", into.string()}).exit_code == 0);
}

TEST_CASE("merge leaves out what is being trained, and what waits beside its database",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store", into = folder / "into";
    std::vector<std::string> command = training(store, "batch-normalized");
    command.insert(command.end(), {"--set", "train.epochs=1000000"});
    Process busy(command);
    wait_until(
        [&] { return log_of(store, "batch-normalized").find("Epoch 3/") != std::string::npos; });
    pause_outside_of_transactions(busy, store);
    const Result left = merge({store}, into);
    CHECK(left.exit_code == 0);
    CHECK(left.output.find("it is being trained") != std::string::npos);
    CHECK(rows(into, "select count(*) from runs") == "0\n");
    busy.send(SIGTERM);
    busy.send(SIGCONT);
    CHECK(busy.wait() == 75);
    std::ofstream(run_folder(store, "batch-normalized") / "spool-1.jsonl") << "{}\n";
    CHECK(merge({store}, into).output.find("wait beside") != std::string::npos);
    CHECK(rows(into, "select count(*) from runs") == "0\n");
}

TEST_CASE("merge refuses what is no store of runs, before it makes anything", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path into = folder / "into", strange = folder / "strange";
    CHECK(merge({strange}, into).exit_code == 66);
    fs::create_directory(strange);
    CHECK(merge({strange}, into).exit_code == 66);
    std::ofstream(strange / "lockstep.db") << std::string(8192, 'x');
    CHECK(merge({two_stores().one, strange}, into).exit_code == 65);
    fs::remove(strange / "lockstep.db");
    RawDatabase(strange / "lockstep.db").exec("create table mine (a)");
    CHECK(merge({strange}, into).exit_code == 65);
    CHECK_FALSE(fs::exists(into));
    // A file that is another one than its database tells of is told, and left out.
    const fs::path copy = folder / "copy";
    fs::copy(two_stores().one, copy, fs::copy_options::recursive);
    std::ofstream(run_folder(copy, "batch-normalized") / "best.h5", std::ios::app) << "x";
    const Result warned = merge({copy}, into);
    CHECK(warned.exit_code == 0);
    CHECK(warned.output.find("best.h5 is another one") != std::string::npos);
    CHECK(rows(into, "select count(*) from artifacts where kind = 'best'") == "0\n");
    CHECK_FALSE(fs::exists(run_folder(into, "batch-normalized") / "best.h5"));
}

TEST_CASE("A merge that is killed anywhere is made whole by the same command", "[end_to_end]") {
    const TwoStores& from = two_stores();
    const TemporaryDirectory folder;
    const fs::path whole = folder / "whole";
    CHECK(merge({from.one, from.other}, whole).exit_code == 0);
    const auto expected = content_of(whole);
    for (const char* point : {"db.begin", "db.before_commit", "db.after_commit"}) {
        for (int count = 1; count <= 4; ++count) {  // of eight transactions
            const std::string fault =
                std::string(point) + "@count=" + std::to_string(count) + ":kill";
            INFO(fault);
            const fs::path into = folder / fault;
            std::vector<std::string> command = lockstep_command(
                {"merge", from.one.string(), from.other.string(), "--store", into.string()});
            command.insert(command.begin(), {"env", "LOCKSTEP_FAULT=" + fault});
            CHECK(Process(command).wait() == 128 + SIGKILL);
            CHECK(merge({from.one, from.other}, into).exit_code == 0);
            CHECK(content_of(into) == expected);
        }
    }
}

// Its checkpoint must outlive that of the run which takes its place.
TEST_CASE("A merge that is killed leaves a run that was here able to go on", "[end_to_end]") {
    const fs::path& finished = two_stores().one;
    const TemporaryDirectory folder;
    const fs::path begun = folder / "begun";
    train_one_epoch(begun);
    int kills = 0, resumed = 0;
    for (const char* point : {"db.begin", "db.before_commit"}) {
        for (int count = 1;; ++count) {
            const std::string fault =
                std::string(point) + "@count=" + std::to_string(count) + ":kill";
            INFO(fault);
            const fs::path into = folder / fault;
            fs::copy(begun, into, fs::copy_options::recursive);
            std::vector<std::string> command =
                lockstep_command({"merge", finished.string(), "--store", into.string()});
            command.insert(command.begin(), {"env", "LOCKSTEP_FAULT=" + fault});
            if (Process(command).wait() == 0) break;
            ++kills;
            if (count == 1) CHECK(Process(command).wait() == 128 + SIGKILL);  // once more
            const bool is_merged = rows(into, "select state from runs") == "finished\n";
            resumed += is_merged ? 0 : 1;
            CHECK(Process(training(into, "batch-normalized")).wait() == 0);
            CHECK(
                rows(into, "select state, max(first_epoch) from runs join attempts using (run)") ==
                (is_merged ? "finished,1\n" : "finished,2\n"));
            CHECK(read_text(run_folder(into, "batch-normalized") / "final.h5") ==
                  read_text(run_folder(finished, "batch-normalized") / "final.h5"));
        }
    }
    CHECK(kills >= 4);
    CHECK(resumed >= 4);
}

TEST_CASE("merge takes no run that could not go on in the place of one that can", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path from = folder / "from", into = folder / "into";
    const auto copy = [&](const fs::path& further) {
        fs::copy(further, from, fs::copy_options::recursive);
        fs::copy(long_stores().one, into, fs::copy_options::recursive);
        return run_folder(from, "batch-normalized");
    };
    std::string words = "kept: the one there is further, but lacks files that it needs";
    SECTION("both of its checkpoints are damaged") {
        copy(long_stores().three);
        damage(from, "checkpoint.h5");
        damage(from, "checkpoint.prev.h5");
    }
    SECTION("both of its checkpoints are gone") {
        const fs::path run = copy(long_stores().three);
        fs::remove(run / "checkpoint.h5");
        fs::remove(run / "checkpoint.prev.h5");
    }
    SECTION("it is finished, and its weights are damaged") {
        copy(long_stores().four);
        damage(from, "final.h5");
    }
    SECTION("it is finished, and its predictions are gone") {
        fs::remove(copy(long_stores().four) / "predictions.h5");
    }
    SECTION("it is finished, and no row tells of its weights") {
        copy(long_stores().four);
        RawDatabase(from / "lockstep.db").exec("delete from artifacts where kind = 'final'");
    }
    SECTION("it has failed") {
        copy(long_stores().three);
        RawDatabase(from / "lockstep.db").exec("update runs set state = 'failed'");
        words = "kept: the one there has failed";
    }
    SECTION("it was trained on other data") {
        copy(GENERATE(true, false) ? long_stores().three : long_stores().four);
        RawDatabase(from / "lockstep.db")
            .exec("update runs set data_digest = 'other', notes = 'of other data'");
        words = "differs: it was trained on another data set";
    }
    const auto before = content_of(into);
    for (int time = 1; time <= 2; ++time) {
        const Result result = merge({from}, into);
        INFO(result.output);
        CHECK(result.exit_code == 0);
        CHECK(result.output.find(words) != std::string::npos);
        CHECK(content_of(into) == before);
    }
    check_goes_on(into, "2");
}

TEST_CASE("merge takes a run by whichever of its checkpoints counts, killed anywhere or not",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path from = folder / "from";
    fs::copy(long_stores().three, from, fs::copy_options::recursive);
    const fs::path run = run_folder(from, "batch-normalized");
    std::string first_epoch = "4";
    SECTION("the newest is damaged") {
        damage(from, "checkpoint.h5");
        first_epoch = "3";
    }
    SECTION("a kill came before the newest took its name") {
        fs::rename(run / "checkpoint.h5", run / "checkpoint.prev.h5");
    }
    for (const bool is_here : {true, false}) {
        for (const char* point : {"db.begin", "db.before_commit", "db.after_commit"}) {
            for (int count = 1;; ++count) {
                const std::string fault =
                    std::string(point) + "@count=" + std::to_string(count) + ":kill";
                INFO(fault << " " << is_here);
                const fs::path into = folder / (fault + (is_here ? "here" : ""));
                if (is_here) fs::copy(long_stores().one, into, fs::copy_options::recursive);
                std::vector<std::string> command =
                    lockstep_command({"merge", from.string(), "--store", into.string()});
                command.insert(command.begin(), {"env", "LOCKSTEP_FAULT=" + fault});
                const bool is_killed = Process(command).wait() != 0;
                const bool is_there = rows(into, "select count(*) from runs") == "1\n";
                const bool is_merged =
                    is_there && rows(into, "select count(*) from epochs") == "3\n";
                CHECK(is_there >= is_here);
                CHECK(is_merged >= !is_killed);
                if (is_there) check_goes_on(into, is_merged ? first_epoch : "2");
                if (!is_killed) break;
            }
        }
    }
}

TEST_CASE("A run that merge brings without a checkpoint is told, and does not begin anew",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path from = folder / "from", into = folder / "into";
    fs::copy(long_stores().three, from, fs::copy_options::recursive);
    damage(from, "checkpoint.h5");
    damage(from, "checkpoint.prev.h5");
    const Result told = merge({from}, into);
    INFO(told.output);
    CHECK(told.exit_code == 0);
    CHECK(told.output.find("taken, but it cannot go on") != std::string::npos);
    const auto merged = content_of(into);
    CHECK(merge({from}, into).exit_code == 0);
    CHECK(content_of(into) == merged);
    Process refused(long_training(into));
    CHECK(refused.wait() == 65);
    CHECK(refused.errors().find("--fresh") != std::string::npos);
    CHECK(rows(into, "select count(*) from epochs") == "3\n");
}

}  // namespace
}  // namespace lockstep::tests
