#include "tests/end_to_end/imagined_store.hpp"

#include "storage/files/run_store.hpp"

namespace lockstep::tests {
namespace {

constexpr const char* kClasses = R"(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])";

storage::RunDatabase open(const std::filesystem::path& store) {
    return storage::RunDatabase(storage::RunStore::create(store).database(),
                                storage::DatabaseAccess::read_write);
}

storage::AttemptRow attempt_of(const std::string& run) {
    storage::AttemptRow attempt;
    attempt.run = run;
    attempt.host = "elsewhere";
    attempt.ranks = 1;
    attempt.started_utc = "2026-03-01T12:00:00.000Z";
    attempt.lease_seconds = 90;
    return attempt;
}

storage::EpochRow epoch_of(const std::string& run, int attempt, double val_accuracy) {
    storage::EpochRow epoch;
    epoch.run = run;
    epoch.epoch = 1;
    epoch.attempt = attempt;
    epoch.loss = 1.0;
    epoch.accuracy = 0.5;
    epoch.val_loss = 1.0;
    epoch.val_accuracy = val_accuracy;
    epoch.training_count = 100;
    epoch.validation_count = 20;
    epoch.epoch_seconds = epoch.training_seconds = 2.0;
    epoch.finished_utc = "2026-03-01T12:01:00.000Z";
    return epoch;
}

}  // namespace

ImaginedStore::ImaginedStore() { open(path()); }

std::filesystem::path ImaginedStore::path() const { return folder_ / "store"; }

void ImaginedStore::put_experiment(const std::string& name) {
    open(path()).put_experiment({name, "", "", "", "2026-03-01T12:00:00.000Z"});
}

storage::RunRow ImaginedStore::put_run(const std::string& experiment, const std::string& name,
                                       int seed, const std::string& settings,
                                       std::int64_t test_samples) {
    put_experiment(experiment);
    storage::RunRow row;
    row.name = name + "-seed" + std::to_string(seed);
    row.run = row.name + "-" + name + "-" + experiment;
    row.experiment = experiment;
    row.design_name = name;
    row.seed = seed;
    row.config_digest = row.name;
    row.data_digest = "d0";
    row.dataset = "cifar10";
    row.architecture = "Input (None, 2, 2, 3)\nDense dense (None, 10)";
    row.epochs = 1;
    row.training_samples = 100;
    row.test_samples = test_samples;
    row.effective_config = "data.classes = " + std::string(kClasses) + "\n" + settings +
                           "train.network = \"" + name +
                           "\"\ntrain.seed = " + std::to_string(seed) + "\n";
    row.created_utc = "2026-03-01T12:00:00.000Z";
    open(path()).put_run(row);
    return row;
}

std::vector<std::string> ImaginedStore::finish(const std::string& experiment,
                                               const std::string& name,
                                               const std::vector<double>& test_accuracies,
                                               int first_seed, const std::string& settings,
                                               std::int64_t test_samples) {
    std::vector<std::string> ids;
    for (const double accuracy : test_accuracies) {
        const int seed = first_seed + static_cast<int>(ids.size());
        const std::string run = put_run(experiment, name, seed, settings, test_samples).run;
        storage::RunDatabase database = open(path());
        const int attempt = database.begin_attempt(attempt_of(run), {});
        database.record_epoch(epoch_of(run, attempt, accuracy), {}, {});
        database.end_attempt(run, attempt,
                             {.state = storage::RunState::finished,
                              .cause = "",
                              .utc = "2026-03-01T12:02:00.000Z",
                              .metrics = {{run, "test_accuracy", accuracy},
                                          {run, "test_loss", 1.0 - accuracy},
                                          {run, "test_count", static_cast<double>(test_samples)},
                                          {run, "weights_epoch", 1.0}},
                              .artifacts = {}});
        ids.push_back(run);
    }
    return ids;
}

std::string ImaginedStore::leave(const std::string& experiment, const std::string& name,
                                 double val_accuracy) {
    const std::string run = put_run(experiment, name, 1, "", 10'000).run;
    storage::RunDatabase database = open(path());
    const int attempt = database.begin_attempt(attempt_of(run), {});
    database.record_epoch(epoch_of(run, attempt, val_accuracy), {}, {});
    return run;
}

void ImaginedStore::list(const std::string& experiment, const std::vector<std::string>& runs) {
    put_experiment(experiment);
    open(path()).list_runs(experiment, runs);
}

}  // namespace lockstep::tests
