#include "tests/storage/sample_rows.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

namespace lockstep::storage {
namespace {

std::string numbered(std::string text, int number) { return text += std::to_string(number); }

}  // namespace

ExperimentRow sample_experiment() {
    return {"tutorials", "Five tutorials", "tutorials.toml", "d0", "2026-03-01T12:00:00.000Z"};
}

RunRow sample_run(const std::string& run) {
    return {.run = run,
            .experiment = "tutorials",
            .name = run.substr(0, run.rfind('-')),
            .title = "a title; with 'quotes'",
            .notes = "",
            .source = "tutorial 002",
            .seed = 1,
            .config_digest = "c0",
            .data_digest = "d1",
            .dataset = "cifar10",
            .architecture = "conv2d 32, dense 10",
            .optimizer = "adam",
            .batch_size = 128,
            .shards = 8,
            .exchange = "ordered",
            .parameters = 289443,
            .trainable_parameters = 288995,
            .flops_per_image = 123456,
            .epochs = 10,
            .training_samples = 15000,
            .validation_samples = 3000,
            .test_samples = 3000,
            .validates_on_test_set = true,
            .selected_on_test_set = true,
            .expected = R"({"val_accuracy":[0.3,0.883],"test_accuracy":0.8})",
            .effective_config = "seed = 1  # default\n",
            .state = RunState::queued,
            .created_utc = "2026-03-01T12:00:01.000Z"};
}

AttemptRow sample_attempt(const std::string& run) {
    return {.run = run,
            .attempt = 0,
            .host = "node07",
            .boot_id = "b",
            .pid = 4711,
            .job_id = "99",
            .ranks = 4,
            .lockstep_version = "0.1.0",
            .onednn_version = "2.6.3",
            .mpi_version = "Open MPI 4.1.4",
            .isa = "avx512_core",
            .simd_target = "AVX3",
            .first_epoch = 1,
            .started_utc = "2026-03-01T12:00:02.000Z",
            .finished_utc = "",
            .outcome = "running",
            .cause = ""};
}

EpochRow sample_epoch(const std::string& run, int epoch, int attempt) {
    return {.run = run,
            .epoch = epoch,
            .attempt = attempt,
            .steps = 118,
            .loss = 1.0 / epoch,
            .accuracy = 0.1 * epoch,
            .val_loss = 2.0 / epoch,
            .val_accuracy = 0.05 * epoch,
            .learning_rate = 1e-3,
            .training_count = 15000,
            .validation_count = 3000,
            .weights_digest = numbered("w", epoch),
            .epoch_seconds = 12.5,
            .training_seconds = 10.0,
            .exchange_seconds = 1.0,
            .data_seconds = 0.5,
            .evaluation_seconds = 2.0,
            .images_per_second = 1500.0,
            .finished_utc = "2026-03-01T12:01:00.000Z"};
}

ArtifactRow sample_checkpoint(const std::string& run, int epoch) {
    return {.run = run,
            .kind = std::string(kCheckpointArtifact),
            .path = "runs/" + run + "/checkpoint.h5",
            .bytes = 1000 + epoch,
            .sha256 = numbered("s", epoch),
            .epoch = epoch};
}

void begin_sample_run(RunDatabase& database, const std::string& run) {
    database.put_experiment(sample_experiment());
    database.put_run(sample_run(run));
    database.begin_attempt(sample_attempt(run), {});
}

void delete_as_users_do(const std::filesystem::path& database, const std::string& run) {
    SQLite::Database raw(database.string(), SQLite::OPEN_READWRITE);
    raw.exec("PRAGMA foreign_keys = ON");
    raw.exec("DELETE FROM runs WHERE run = '" + run + "'");
}

}  // namespace lockstep::storage
