// More epochs without starting over: a finished run of fewer epochs is gone on from, to the bytes
// of one that was planned so; where that cannot be, it is told, and the run begins at epoch 1.

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "tests/end_to_end/one_run.hpp"
#include "tests/end_to_end/process.hpp"
#include "tests/end_to_end/stores.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::tests {
namespace {

namespace fs = std::filesystem;

// The run of smoke.toml with best weights and recorded steps, of so many epochs.
std::vector<std::string> arguments(const fs::path& store, int epochs, const std::string& ranks,
                                   const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{
        "run",     smoke_file(), "--only",
        kOneRun,   "--store",    store.string(),
        "--ranks", ranks,        "--max-restarts",
        "0",       "--set",      "train.epochs=" + std::to_string(epochs)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

std::string train(const fs::path& store, int epochs, const std::string& ranks,
                  const std::vector<std::string>& more = {}) {
    const Result result = lockstep(arguments(store, epochs, ranks, more));
    INFO(result.errors);
    CHECK(result.exit_code == 0);
    return result.output + result.errors;
}

std::string id_of(const fs::path& store, int epochs) {
    const std::string id =
        rows(store, "select run from runs where epochs = " + std::to_string(epochs));
    return id.substr(0, id.find('\n'));
}

fs::path file_of(const fs::path& store, int epochs, const std::string& name) {
    return store / "runs" / id_of(store, epochs) / name;
}

// All that does not depend on when and where it was trained, of the run of four epochs. The
// checkpoint before the last one was written, or not, on the way.
std::string figures(const fs::path& store) {
    const std::string own = " where run in (select run from runs where epochs = 4) order by 1, 2";
    const std::string own_but_previous =
        " where kind <> 'checkpoint_prev' and " + own.substr(std::string(" where ").size());
    return rows(store,
                "select run, epoch, attempt, steps, loss, accuracy, val_loss, val_accuracy, "
                "learning_rate, training_count, validation_count, weights_digest from epochs" +
                    own) +
           rows(store, "select run, step, loss, accuracy from steps" + own) +
           rows(store, "select * from metrics" + own) +
           rows(store,
                "select run, kind, path, bytes, sha256, epoch from artifacts" + own_but_previous);
}

std::string parent_of(const fs::path& store) {
    return rows(store, "select parent_run from v_runs where epochs_planned = 4");
}

void check_equals_planned(const fs::path& store, const std::vector<std::string>& more = {}) {
    const TemporaryDirectory folder;
    const fs::path planned = folder / "planned";
    train(planned, 4, "1", more);
    CHECK(figures(store) == figures(planned));
    for (const std::string name : {"final.h5", "best.h5", "checkpoint.h5", "predictions.h5"})
        CHECK(read_text(file_of(store, 4, name)) == read_text(file_of(planned, 4, name)));
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

TEST_CASE("Two epochs that go on to four are four epochs planned so, on one rank and two",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool is_wider = GENERATE(false, true);
    train(store, 2, is_wider ? "1" : "2");
    const std::string before = read_text(file_of(store, 2, "final.h5"));
    const std::string told = train(store, 4, is_wider ? "2" : "1");
    CHECK(contains(told, "goes on after epoch 2 of " + id_of(store, 2)));
    CHECK_FALSE(contains(told, "Epoch 2/4"));
    CHECK(contains(told, "Epoch 3/4"));
    CHECK(parent_of(store) == id_of(store, 2) + "\n");
    CHECK(rows(store, "select first_epoch from attempts order by first_epoch desc limit 1") ==
          "3\n");
    check_equals_planned(store);
    CHECK(read_text(file_of(store, 2, "final.h5")) == before);
    CHECK(contains(train(store, 4, "1"), "finished already"));
    // Anew is from the beginning.
    CHECK_FALSE(contains(train(store, 4, "1", {"--fresh"}), "goes on"));
    CHECK(parent_of(store) == "\n");
}

TEST_CASE("A schedule that does not depend on the last epoch goes on; one that does is refused",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool is_fixed = GENERATE(true, false);
    const std::vector<std::string> schedule{
        "--set", is_fixed ? "train.schedule={ name = \"cosine\", over_epochs = 3 }"
                          : "train.schedule={ name = \"cosine\" }"};
    train(store, 2, "1", schedule);
    const std::string told = train(store, 4, "1", schedule);
    CHECK(contains(told, "goes on after epoch 2") == is_fixed);
    CHECK(contains(told, "begins at epoch 1: the cosine schedule of " + id_of(store, 2)) ==
          !is_fixed);
    CHECK(parent_of(store) == (is_fixed ? id_of(store, 2) : "") + "\n");
    check_equals_planned(store, schedule);
}

TEST_CASE("A lookahead that falls over all epochs is refused, one with a length of its own goes on",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const bool is_fixed = GENERATE(true, false);
    const std::string length = is_fixed ? ", over_epochs = 3" : "";
    const std::vector<std::string> lookahead{
        "--set",
        "train.optimizer={ lookahead = { sync_period = 3, power = 3, moving_statistics = "
        "true" +
            length + " } }"};
    train(store, 2, "2", lookahead);
    const std::string told = train(store, 4, "1", lookahead);
    CHECK(contains(told, "goes on after epoch 2") == is_fixed);
    CHECK(contains(told, "begins at epoch 1: the lookahead of " + id_of(store, 2)) == !is_fixed);
    check_equals_planned(store, lookahead);
}

// The average is read from the checkpoint: by who goes on, and where fsck makes final.h5 anew.
TEST_CASE("A run that averages its weights goes on, and its final weights can be made again",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::vector<std::string> average{
        "--set",
        "train.optimizer={ use_ema = true, ema_momentum = 0.9, gradient_accumulation_steps = 3 }"};
    train(store, 2, "1", average);
    CHECK(contains(train(store, 4, "2", average), "goes on after epoch 2"));
    check_equals_planned(store, average);
    const fs::path final_weights = file_of(store, 4, "final.h5");
    const std::string before = read_text(final_weights);
    fs::remove(final_weights);
    CHECK(lockstep({"fsck", "--repair", "--store", store.string()}).exit_code == 0);
    REQUIRE(fs::exists(final_weights));
    CHECK(read_text(final_weights) == before);
}

TEST_CASE("A checkpoint that is gone, or not the one of the database, is not gone on from",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::string damage = GENERATE("checkpoint.h5 cut", "best.h5 cut", "gc");
    CAPTURE(damage);
    train(store, 2, "1");
    const std::string name = damage.substr(0, damage.find(' '));
    if (damage == "gc") {
        CHECK(lockstep({"gc", "--yes", "--store", store.string()}).exit_code == 0);
    } else {
        fs::resize_file(file_of(store, 2, name), 1000);
    }
    const std::string file = damage == "gc" ? "checkpoint.h5" : name;
    CHECK(contains(train(store, 4, "1"),
                   "begins at epoch 1: " + file + " of " + id_of(store, 2) + " is not "));
    CHECK(parent_of(store) == "\n");
    if (damage != "gc") fs::remove_all(store / "runs" / id_of(store, 2));
    if (damage != "gc") lockstep({"rm", id_of(store, 2), "--yes", "--store", store.string()});
    check_equals_planned(store);
}

TEST_CASE("What early stopping ended is ended there with more epochs, too", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    const std::vector<std::string> stopping{"--set",
                                            "run.batch-normalized.train.early_stopping={ monitor = "
                                            "\"val_loss\", patience = 1, min_delta = 1000.0 }"};
    train(store, 3, "1", stopping);
    CHECK(contains(train(store, 4, "1", stopping), "early stopping ended it there"));
    CHECK(rows(store, "select epochs_finished from v_runs order by epochs_planned") == "2\n2\n");
    check_equals_planned(store, stopping);
}

TEST_CASE("Another seed, other data, and a run that has not finished are no parents",
          "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    train(store, 2, "1", {"--set", "train.seed=2"});
    train(store, 2, "1", {"--set", "data.seed=2"});
    CHECK_FALSE(contains(train(store, 4, "1"), "goes on"));
    CHECK(parent_of(store) == "\n");
}

TEST_CASE("Killed while it takes over its parent a run goes on to the same bytes", "[end_to_end]") {
    const TemporaryDirectory folder;
    const fs::path store = folder / "store";
    train(store, 2, "1");
    std::vector<std::string> points{"ckpt.serialize", "ckpt.before_rename", "ckpt.after_rename"};
    for (int count = 1; count <= 8; ++count)
        points.push_back("db.before_commit@count=" + std::to_string(count));
    int kills = 0;
    for (const std::string& point : points) {
        // No further than the first step: what has been taken over is all that there is.
        Process training(with_variable("LOCKSTEP_FAULT=" + point + ":kill;step.begin:exit=99",
                                       lockstep_command(arguments(store, 4, "1"))));
        kills += training.wait() == 128 + SIGKILL ? 1 : 0;
        wait_until([&] { return processes_with(store.string(), "--as-rank").empty(); });
    }
    CHECK(kills >= 6);
    train(store, 4, "1");
    CHECK(parent_of(store) == id_of(store, 2) + "\n");
    CHECK(rows(store, "select count(*), max(epoch) from epochs where run = '" + id_of(store, 4) +
                          "'") == "4,4\n");
    const TemporaryDirectory other;
    train(other / "planned", 4, "1");
    CHECK(read_text(file_of(store, 4, "final.h5")) ==
          read_text(file_of(other / "planned", 4, "final.h5")));
    CHECK(lockstep({"fsck", "--store", store.string()}).exit_code == 0);
}

}  // namespace
}  // namespace lockstep::tests
