#include "storage/database/run_database.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "storage/files/storage_error.hpp"
#include "tests/storage/sample_rows.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryDirectory;

RunDatabase writable(const fs::path& path) { return {path, DatabaseAccess::read_write}; }
RunDatabase readable(const fs::path& path) { return {path, DatabaseAccess::read_only}; }

// Ends the first attempt of "a-1".
void end(RunDatabase& database, std::vector<MetricRow> metrics) {
    AttemptEnd last;
    last.metrics = std::move(metrics);
    database.end_attempt("a-1", 1, last);
}

std::int64_t count_in(const RunDatabase& database, const std::string& table) {
    return std::get<std::int64_t>(
        database.run_query("SELECT count(*) FROM " + table).rows.at(0).at(0));
}

Cell cell(const Table& table, std::size_t row, std::string_view column) {
    const auto at = std::find(table.columns.begin(), table.columns.end(), column);
    REQUIRE(at != table.columns.end());
    return table.rows.at(row).at(static_cast<std::size_t>(at - table.columns.begin()));
}

std::vector<std::string> columns_of(const RunDatabase& database, const std::string& table) {
    std::vector<std::string> names;
    for (const auto& row :
         database.run_query("SELECT name FROM pragma_table_info('" + table + "')").rows) {
        names.push_back(std::get<std::string>(row.at(0)));
    }
    return names;
}

}  // namespace

TEST_CASE("database: other programs can tell what it is", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    { const RunDatabase created = writable(path); }
    SQLite::Database raw(path.string());
    CHECK(raw.execAndGet("PRAGMA application_id").getInt() == 0x4c6b7374);
    CHECK(raw.execAndGet("PRAGMA user_version").getInt() == kSchemaVersion);
    CHECK(raw.execAndGet("PRAGMA journal_mode").getString() == "delete");
    CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
    CHECK(raw.execAndGet("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                         "sql NOT LIKE '%STRICT%'")
              .getInt() == 0);
}

TEST_CASE("database: steps are run, step, loss, accuracy; times are named as times", "[storage]") {
    const TemporaryDirectory folder;
    const RunDatabase database = writable(folder / "lockstep.db");
    CHECK(columns_of(database, "steps") ==
          std::vector<std::string>{"run", "step", "loss", "accuracy"});
    std::vector<std::string> timeless;
    for (const std::string& name : columns_of(database, "epochs")) {
        if (!name.ends_with("_seconds") && !name.ends_with("_utc") && name != "images_per_second") {
            timeless.push_back(name);
        }
    }
    CHECK(timeless == std::vector<std::string>{
                          "run", "epoch", "attempt", "steps", "loss", "accuracy", "val_loss",
                          "val_accuracy", "is_nan", "learning_rate", "training_count",
                          "validation_count", "weights_digest", "val_top_5_accuracy"});
}

TEST_CASE("database: every row comes back as it went in", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    const std::vector<StepRow> steps{{"a-1", 0, 2.5, 0.25}, {"a-1", 1, 0x1.fffffffffffffp-1, 0.5}};
    const std::vector<ArtifactRow> artifacts{sample_checkpoint("a-1", 1)};
    database.record_epoch(sample_epoch("a-1", 1), steps, artifacts);
    database.add_event({"a-1", 1, "2026-03-01T12:02:00.000Z", "warning", "line\nbreak"});
    database.end_attempt("a-1", 1,
                         {.state = RunState::finished,
                          .cause = "all epochs",
                          .utc = "2026-03-01T12:03:00.000Z",
                          .metrics = {{"a-1", "test_accuracy", 0.875}},
                          .artifacts = {{"a-1", "final", "runs/a-1/final.h5", 7, "f", 1}}});

    const RunDetails details = readable(folder / "lockstep.db").run_details("a-1");
    CHECK(details.run.state == RunState::finished);
    CHECK(details.run.title == "a title; with 'quotes'");
    CHECK(details.run.parameters == 289443);
    CHECK(details.run.validates_on_test_set);
    CHECK(details.run.effective_config == sample_run("a-1").effective_config);
    CHECK(details.run.created_utc == "2026-03-01T12:00:01.000Z");
    REQUIRE(details.attempts.size() == 1);
    CHECK(details.attempts[0].ranks == 4);
    CHECK(details.attempts[0].simd_target == "AVX3");
    CHECK(details.attempts[0].outcome == "finished");
    CHECK(details.attempts[0].finished_utc == "2026-03-01T12:03:00.000Z");
    REQUIRE(details.epochs.size() == 1);
    CHECK(details.epochs[0].val_accuracy == 0.05);
    CHECK(details.epochs[0].weights_digest == "w1");
    CHECK(details.epochs[0].images_per_second == 1500.0);
    CHECK(database.steps("a-1").at(1).loss == 0x1.fffffffffffffp-1);
    REQUIRE(details.metrics.size() == 1);
    CHECK(details.metrics[0].value == 0.875);
    CHECK(details.artifacts.size() == 2);
    REQUIRE(details.events.size() == 3);
    CHECK(details.events[0].kind == "started");
    CHECK(details.events[1].text == "line\nbreak");
    CHECK(details.events[2].kind == "finished");
}

TEST_CASE("database: NaN, infinity and a missing figure stay apart", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double infinity = std::numeric_limits<double>::infinity();
    EpochRow row = sample_epoch("a-1", 1);
    row.loss = nan;
    row.val_loss = nan;
    database.record_epoch(row, std::vector<StepRow>{{"a-1", 0, nan, 0.5}}, {});
    row = sample_epoch("a-1", 2);
    row.loss = infinity;
    row.validation_count = 0;
    row.val_loss.reset();
    row.val_accuracy.reset();
    database.record_epoch(row, {}, {});
    end(database, {{"a-1", "test_loss", nan},
                   {"a-1", "x", -infinity},
                   {"a-1", "y", -0.0},
                   {"a-1", "z", 0x1p-1074}});

    const auto epochs = database.epochs("a-1");
    CHECK(std::isnan(epochs.at(0).loss));
    REQUIRE(epochs.at(0).val_loss.has_value());
    CHECK(std::isnan(*epochs.at(0).val_loss));
    CHECK(epochs.at(1).loss == infinity);
    CHECK_FALSE(epochs.at(1).val_loss.has_value());
    CHECK(std::isnan(database.steps("a-1").at(0).loss));
    CHECK(std::isnan(database.metrics("a-1").at(0).value));
    CHECK(database.metrics("a-1").at(1).value == -infinity);
    CHECK(database.metrics("a-1").at(2).value == 0.0);  // SQLite keeps no sign of a zero
    CHECK(database.metrics("a-1").at(3).value == 0x1p-1074);
    const Table flags = database.run_query("SELECT is_nan FROM epochs ORDER BY epoch");
    CHECK(flags.rows.at(0).at(0) == Cell(std::int64_t{1}));
    CHECK(flags.rows.at(1).at(0) == Cell(std::int64_t{0}));
}

TEST_CASE("database: writing again changes rows and never doubles them", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    const std::vector<StepRow> steps{{"a-1", 0, 1.0, 0.0}};
    for (const double loss : {3.0, 4.0}) {
        EpochRow row = sample_epoch("a-1", 1);
        row.loss = loss;
        database.record_epoch(row, steps, std::vector{sample_checkpoint("a-1", 1)});
    }
    RunRow changed = sample_run("a-1");
    changed.title = "another";
    changed.created_utc = "2027-01-01T00:00:00.000Z";
    database.put_run(changed);
    database.put_experiment(sample_experiment());

    CHECK(count_in(database, "epochs") == 1);
    CHECK(count_in(database, "steps") == 1);
    CHECK(count_in(database, "artifacts") == 1);
    CHECK(database.epochs("a-1").at(0).loss == 4.0);
    const RunRow run = database.find_run("a-1").value();
    CHECK(run.title == "another");
    CHECK(run.created_utc == sample_run("a-1").created_utc);
    CHECK(run.state == RunState::running);  // a description does not change it
}

TEST_CASE("database: an attempt goes on where the checkpoint stands", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    begin_sample_run(database, "b-1");
    for (int epoch = 1; epoch <= 3; ++epoch) {
        const std::vector<StepRow> steps{{"a-1", 2 * epoch - 2, 1.0, 0.0},
                                         {"a-1", 2 * epoch - 1, 1.0, 0.0}};
        database.record_epoch(sample_epoch("a-1", epoch), steps,
                              std::vector{sample_checkpoint("a-1", epoch)});
        database.record_epoch(sample_epoch("b-1", epoch), {}, {});
    }
    CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s3", "s2"});
    CHECK(database.artifact("a-1", kPreviousCheckpointArtifact)->path ==
          "runs/a-1/checkpoint.prev.h5");

    SECTION("the newest file was damaged: the previous one is the checkpoint now") {
        const int attempt = database.begin_attempt(
            sample_attempt("a-1"),
            {.epochs_finished = 2, .steps_taken = 4, .previous_sha256 = "s2"});
        CHECK(attempt == 2);
        CHECK(database.epochs("a-1").size() == 2);
        CHECK(database.steps("a-1").size() == 4);
        CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s2"});
        CHECK(database.artifact("a-1", kCheckpointArtifact)->path == "runs/a-1/checkpoint.h5");
        CHECK(database.attempts("a-1").at(0).outcome == "interrupted");
        CHECK(database.attempts("a-1").at(1).outcome == "running");
    }
    SECTION("a newer file without a row gave way to the previous one, which has its row") {
        database.begin_attempt(sample_attempt("a-1"),
                               {.epochs_finished = 3, .steps_taken = 6, .previous_sha256 = "s3"});
        CHECK(database.epochs("a-1").size() == 3);
        CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s3"});
    }
    SECTION("checkpoints within the epoch: the newest and the one before, with their steps") {
        for (const int step : {6, 7}) {
            ArtifactRow within = sample_checkpoint("a-1", 3);
            within.sha256 = "s3+" + std::to_string(step);
            database.record_checkpoint(1, std::vector<StepRow>{{"a-1", step, 1.0, 0.0}}, within);
        }
        CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s3+7", "s3+6"});
        CHECK(database.steps("a-1").size() == 8);
        database.begin_attempt(sample_attempt("a-1"), {.epochs_finished = 3,
                                                       .steps_taken = 7,
                                                       .steps_of_next_epoch = 1,
                                                       .previous_sha256 = "s3+6"});
        CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s3+6"});
        CHECK(database.steps("a-1").size() == 7);
        CHECK(database.epochs("a-1").size() == 3);
        CHECK(database.events("a-1").back().text == "in epoch 4 after 1 step");
    }
    SECTION("a checkpoint within the first epoch is no start") {
        database.begin_attempt(sample_attempt("a-1"), {});
        ArtifactRow within = sample_checkpoint("a-1", 0);
        within.sha256 = "s0+2";
        database.record_checkpoint(2, {}, within);
        database.begin_attempt(sample_attempt("a-1"), {.steps_taken = 2, .steps_of_next_epoch = 2});
        CHECK(database.checkpoint_digests("a-1") == std::vector<std::string>{"s0+2"});
        CHECK(database.events("a-1").back().kind == "resumed");
    }
    SECTION("from the beginning") {
        database.begin_attempt(sample_attempt("a-1"), {});
        CHECK(database.epochs("a-1").empty());
        CHECK(database.steps("a-1").empty());
        CHECK(database.artifacts("a-1").empty());
    }
    CHECK(database.epochs("b-1").size() == 3);  // another run's
}

TEST_CASE("database: the views say what the rows say", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    begin_sample_run(database, "b-1");
    for (const auto& [epoch, val_accuracy] : {std::pair(1, 0.5), {2, 0.75}, {3, 0.75}, {4, 0.25}}) {
        EpochRow row = sample_epoch("a-1", epoch);
        row.val_accuracy = val_accuracy;
        database.record_epoch(row, {}, {});
    }
    end(database, {{"a-1", "test_accuracy", 0.625}});
    const Table table = database.run_query("SELECT * FROM v_compare WHERE run = 'a-1'");
    REQUIRE(table.rows.size() == 1);
    CHECK(cell(table, 0, "best_epoch") == Cell(std::int64_t{2}));  // the first of equals
    CHECK(cell(table, 0, "best_val_accuracy") == Cell(0.75));
    CHECK(cell(table, 0, "test_accuracy") == Cell(0.625));
    CHECK(cell(table, 0, "test_loss") == Cell());
    CHECK(cell(table, 0, "printed_val_accuracy") == Cell(0.883));  // the last of a list
    CHECK(cell(table, 0, "printed_test_accuracy") == Cell(0.8));
    CHECK(cell(table, 0, "mean_epoch_seconds") == Cell(12.5));
    CHECK(cell(table, 0, "images_per_second") == Cell(1500.0));
    CHECK(database.run_query("SELECT * FROM v_compare").rows.size() == 2);
    const Table runs = database.runs_table("tutorials");
    REQUIRE(runs.rows.size() == 2);
    CHECK(cell(runs, 0, "epochs_finished") == Cell(std::int64_t{4}));
    CHECK(cell(runs, 0, "all_epochs_seconds") == Cell(50.0));
    CHECK(cell(runs, 1, "best_epoch") == Cell());  // no epoch yet, but a row
    CHECK(database.epochs_table("a-1").rows.size() == 4);
}

TEST_CASE("database: a run goes with all that belongs to it", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    database.record_epoch(sample_epoch("a-1", 1), std::vector<StepRow>{{"a-1", 0, 1.0, 0.0}},
                          std::vector{sample_checkpoint("a-1", 1)});
    delete_as_users_do(folder / "lockstep.db", "a-1");
    for (const char* table : {"runs", "attempts", "epochs", "steps", "artifacts", "events"}) {
        CHECK(count_in(database, table) == 0);
    }
}

TEST_CASE("database: a transaction that fails leaves nothing of itself", "[storage]") {
    const TemporaryDirectory folder;
    RunDatabase database = writable(folder / "lockstep.db");
    begin_sample_run(database, "a-1");
    const std::vector<StepRow> bad{{"a-1", 0, 1.0, 0.0}, {"a-1", -1, 1.0, 0.0}};
    CHECK_THROWS_AS(database.record_epoch(sample_epoch("a-1", 1), bad, {}), StorageError);
    CHECK(database.epochs("a-1").empty());
    CHECK(database.steps("a-1").empty());
    database.record_epoch(sample_epoch("a-1", 1), {}, {});  // and the connection still works
    CHECK(database.epochs("a-1").size() == 1);
}

namespace {

// None of the processes has a connection yet; each may create the file.
void write_at_once(int processes, int epochs) {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    const auto run_of = [](int process) { return "run-" + std::to_string(process); };
    for (int process = 0; process < processes; ++process) {
        if (fork() != 0) continue;
        int status = 1;
        try {
            RunDatabase database = writable(path);
            begin_sample_run(database, run_of(process));
            for (int epoch = 1; epoch <= epochs; ++epoch)
                database.record_epoch(sample_epoch(run_of(process), epoch), {}, {});
            status = 0;
        } catch (const std::exception&) {
        }
        _exit(status);
    }
    for (int process = 0; process < processes; ++process) {
        int status = -1;
        wait(&status);
        CHECK(status == 0);
    }
    for (int process = 0; process < processes; ++process)
        CHECK(readable(path).epochs(run_of(process)).size() == static_cast<std::size_t>(epochs));
    SQLite::Database raw(path.string(), SQLite::OPEN_READONLY);
    CHECK(raw.execAndGet("PRAGMA integrity_check").getString() == "ok");
}

}  // namespace

TEST_CASE("database: eight processes that write at once lose nothing", "[storage]") {
    write_at_once(8, 10);
}

TEST_CASE("database: the same with 300 transactions each", "[.slow][storage]") {
    write_at_once(8, 300);
}

TEST_CASE("database: reading goes on while a writer is in the middle", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    RunDatabase database = writable(path);
    begin_sample_run(database, "a-1");
    SQLite::Database other(path.string(), SQLite::OPEN_READWRITE);
    SQLite::Transaction unfinished(other, SQLite::TransactionBehavior::IMMEDIATE);
    other.exec("DELETE FROM events");
    CHECK(readable(path).events("a-1").size() == 1);
    CHECK(count_in(readable(path), "events") == 1);
}

// A writer that is killed in a transaction: pages of it are in the file.
void leave_half_done(const fs::path& path) {
    const pid_t child = fork();
    if (child == 0) {
        SQLite::Database raw(path.string(), SQLite::OPEN_READWRITE);
        raw.exec("PRAGMA cache_size = 1");  // so that pages reach the file before the commit
        raw.exec(
            "BEGIN; DELETE FROM events;"
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
            "INSERT INTO steps SELECT 'a-1', i, 0.5, 0.5 FROM n");
        _exit(0);
    }
    waitpid(child, nullptr, 0);
    REQUIRE(fs::exists(path.string() + "-journal"));
}

TEST_CASE("database: what a killed writer left half done is rolled back by a reader", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    {
        RunDatabase database = writable(path);
        begin_sample_run(database, "a-1");
    }
    leave_half_done(path);
    const RunDatabase database = readable(path);
    CHECK(database.steps("a-1").empty());
    CHECK(database.events("a-1").size() == 1);
}

TEST_CASE("database: so is what a writer leaves that is killed while a reader has it open",
          "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    {
        RunDatabase database = writable(path);
        begin_sample_run(database, "a-1");
    }
    const RunDatabase reader = readable(path);
    REQUIRE(reader.events("a-1").size() == 1);
    SECTION("each call alone") {
        leave_half_done(path);
        CHECK(reader.events("a-1").size() == 1);
    }
    SECTION("calls of one moment") {
        leave_half_done(path);
        CHECK(reader.run_details("a-1").events.size() == 1);
    }
    SECTION("a query") {
        leave_half_done(path);
        CHECK(reader.run_query("SELECT * FROM events").rows.size() == 1);
    }
    CHECK(reader.steps("a-1").empty());
    CHECK_FALSE(fs::exists(path.string() + "-journal"));
}

TEST_CASE("database: what is written at once is there as a whole, or not at all", "[storage]") {
    const TemporaryDirectory folder;
    const fs::path path = folder / "lockstep.db";
    RunDatabase database = writable(path);
    begin_sample_run(database, "a-1");
    database.put_artifacts(1, std::vector{sample_checkpoint("a-1", 1)});
    const auto work = [&](bool fails) {
        database.write_at_once([&] {
            database.remove_artifact("a-1", kCheckpointArtifact);
            database.annotate("a-1", {.note = "a note"});
            // Nobody else writes between these.
            RunDatabase other = readable(path);
            CHECK(other.artifact("a-1", kCheckpointArtifact));
            RunDatabase writer(path, DatabaseAccess::read_write_again,
                               std::chrono::milliseconds(1));
            CHECK(kind_thrown_by([&] { writer.put_run(sample_run("b-2")); }) ==
                  StorageError::Kind::locked);
            if (fails) throw std::runtime_error("on purpose");
        });
    };
    CHECK_THROWS_AS(work(true), std::runtime_error);
    CHECK(database.artifact("a-1", kCheckpointArtifact));
    CHECK(database.find_run("a-1")->notes.empty());
    work(false);
    CHECK_FALSE(database.artifact("a-1", kCheckpointArtifact));
    CHECK(database.find_run("a-1")->notes == "a note");
}

}  // namespace lockstep::storage
