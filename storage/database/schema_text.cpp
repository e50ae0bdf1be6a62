#include "storage/database/schema_text.hpp"

namespace lockstep::storage {
namespace {

constexpr TableText kTables[] = {
    {"v_runs", "A row a run: how far it is, and what it reached."},
    {"v_settings", "A row an effective setting of a run."},
    {"v_epochs", "A row an epoch, with the name and the settings of its run."},
    {"v_best",
     "A row a run: its best epoch by val_accuracy, or by accuracy where nothing validates; the "
     "first one of equals."},
    {"v_compare", "Runs side by side, with what their source printed."},
    {"experiments", "A row an experiment file."},
    {"experiment_runs",
     "The runs in an experiment's list, also those that another experiment has trained."},
    {"runs", "A row one training with its seed. v_runs shows what it reached."},
    {"run_tags", "A user's own tags of runs: lockstep tag."},
    {"attempts", "A row one start of a run: what it ran on, and how it ended."},
    {"epochs", "A row an epoch of a run."},
    {"run_totals", "What the epochs of a run come to; no row where there are none."},
    {"steps", "A row a step, of runs with record_steps = true."},
    {"metrics", "Figures of a whole run: test_loss, test_accuracy, best_val_accuracy, ..."},
    {"artifacts", "Files of a run, with their digests."},
    {"events", "What happened to a run, in the order of writing."},
};

constexpr ColumnText kColumns[] = {
    // What names a row.
    {"", "run", "", "id of the run: its name and a short hash of its effective config"},
    {"", "experiment", "", "name of the experiment that trained it last"},
    {"experiment_runs", "experiment", "", "name of the experiment with the run in its list"},
    {"", "name", "", "name of the run"},
    {"experiments", "name", "", "name, as in the experiment file"},
    {"metrics", "name", "", "which figure"},
    {"", "seed", "", "seed of all random numbers of the training"},
    {"", "title", "", "free text of the experiment file"},
    {"", "state", "", "queued, running, finished, interrupted or failed"},
    {"", "tag", "", "a word of a user's"},
    {"", "tags", "", "a user's tags, sorted, a space between two"},
    {"", "notes", "", "a user's own words"},
    {"", "source", "", "where the architecture comes from"},
    {"", "parent_run", "", "the run whose epochs it goes on from; empty for none"},
    {"", "design_name", "", "name without its part for the seed"},
    // Digests.
    {"", "file", "", "the experiment file, as it was given"},
    {"", "file_digest", "", "SHA-256 of the experiment file"},
    {"", "config_digest", "", "SHA-256 of the effective config; equal: one training"},
    {"", "data_digest", "", "SHA-256 of pixels and labels"},
    {"", "design_digest", "", "SHA-256 of the effective config without the seed"},
    {"", "initial_weights_sha256", "", "SHA-256 of the weights it starts from; empty for none"},
    {"", "weights_digest", "", "SHA-256 of all weights at the epoch's end"},
    {"", "sha256", "", "SHA-256 of the file"},
    // Settings.
    {"", "key", "", "the setting, as in --set: train.optimizer.momentum"},
    {"v_settings", "value", "", "its effective value"},
    {"", "settings", "", "JSON: the effective settings by flat keys"},
    {"", "effective_config", "", "TOML: every value that was used, and its origin"},
    {"", "dataset", "", "cifar10, synthetic, ..."},
    {"", "architecture", "", "the network, one layer after the other"},
    {"", "optimizer", "", "adam, adamw, adagrad, lion, muon, nadam, rmsprop or sgd"},
    {"", "batch_size", "", "samples of one step, over all ranks"},
    {"", "shards", "", "fixed slices of a batch; figures depend on them, not on ranks"},
    {"", "exchange", "", "how gradients were summed: ordered, ring or mpi"},
    {"", "parameters", "", "numbers in weights and biases"},
    {"", "trainable_parameters", "", "of them, those that training changes"},
    {"", "flops_per_image", "", "floating-point operations of a forward pass of one image"},
    {"runs", "epochs", "", "epochs planned"},
    {"", "epochs_planned", "", "epochs planned"},
    {"", "training_samples", "", "samples of the training set"},
    {"", "validation_samples", "", "samples of the validation set; 0: nothing validates"},
    {"", "test_samples", "", "samples of the test set"},
    {"", "validates_on_test_set", "", "1: val_* figures are those of the test set"},
    {"", "selected_on_test_set", "", "1: chose weights or epoch by the test set, which flatters"},
    {"", "expected", "", "JSON of what the source printed; empty for nothing"},
    {"", "printed_val_accuracy", "", "fraction that the source printed, the last of a list"},
    {"", "printed_test_accuracy", "", "fraction that the source printed, the last of a list"},
    // Figures.
    {"", "epoch", "", "counted from 1"},
    {"artifacts", "epoch", "", "the epoch its content is from; 0 where that means nothing"},
    {"", "step", "", "of the whole run, counted from 0"},
    {"", "steps", "", "updates of the epoch"},
    {"", "loss", "", "mean over the training samples of the epoch; NULL: NaN"},
    {"v_runs", "loss", "", "training loss of the last epoch; NULL: NaN"},
    {"steps", "loss", "", "of the step's batch, before its update; NULL: NaN"},
    {"", "accuracy", "", "fraction of the training samples of the epoch"},
    {"v_runs", "accuracy", "", "training accuracy of the last epoch, a fraction"},
    {"steps", "accuracy", "", "fraction of the step's batch, before its update"},
    {"", "val_loss", "", "of the validation set; NULL where nothing validates, or NaN"},
    {"", "val_accuracy", "", "fraction of the validation set; NULL where nothing validates"},
    {"", "test_loss", "", "of the test set, at the run's end"},
    {"", "test_accuracy", "", "fraction of the test set, at the run's end"},
    {"", "test_top_5_accuracy", "",
     "fraction of the test set whose class is among the five likeliest, at the run's end; NULL: at "
     "most five classes"},
    {"", "val_top_5_accuracy", "",
     "fraction of the validation set whose class is among the five likeliest; NULL: nothing "
     "validates, or at most five classes"},
    {"", "is_nan", "", "1: a figure of this row was NaN, which SQLite stores as NULL"},
    {"", "value", "", "the figure; NULL: NaN"},
    {"", "learning_rate", "", "of the last step"},
    {"", "best_epoch", "", "by val_accuracy, or by accuracy where nothing validates"},
    {"", "best_val_accuracy", "", "fraction of the validation set in the best epoch"},
    {"", "epochs_finished", "", "epochs trained"},
    {"", "last_epoch", "", "the last one trained"},
    {"", "training_count", "", "samples trained on, each exactly once"},
    {"run_totals", "training_count", "", "samples trained on in all epochs"},
    {"", "validation_count", "", "samples evaluated, each exactly once; 0: nothing validates"},
    // Times.
    {"", "epoch_seconds", "s", "training and validation"},
    {"", "training_seconds", "s", "the steps of the epoch alone"},
    {"run_totals", "training_seconds", "s", "the steps of all epochs"},
    {"", "exchange_seconds", "s", "summing gradients and statistics over ranks, waiting included"},
    {"", "data_seconds", "s", "gathering and scaling batches"},
    {"", "evaluation_seconds", "s", "evaluating the validation set"},
    {"", "stopped_seconds", "s", "a rank stood still so long, stopped or frozen; NULL: not known"},
    {"", "all_epochs_seconds", "s", "all epochs of the run"},
    {"", "mean_epoch_seconds", "s", "mean over the epochs"},
    {"", "images_per_second", "1/s", "training samples by the time of their steps"},
    {"", "created_utc", "", "when it came into the store, UTC"},
    {"", "started_utc", "", "when the attempt (of a run the latest one) began, UTC"},
    {"", "finished_utc", "", "when it ended, UTC; NULL while it lasts"},
    {"", "utc", "", "when it happened, UTC"},
    // Attempts.
    {"", "attempt", "", "counted from 1 for each run"},
    {"events", "attempt", "", "counted from 1 for each run; 0: outside of an attempt"},
    {"", "attempts", "", "how often the run was started"},
    {"", "ranks", "", "MPI ranks of the latest attempt"},
    {"attempts", "ranks", "", "MPI ranks"},
    {"", "host", "", "host of rank 0"},
    {"", "boot_id", "", "tells a process from one before the host's last boot"},
    {"", "pid", "", "process of rank 0 on its host"},
    {"", "job_id", "", "of the scheduler; empty outside of one"},
    {"", "lockstep_version", "", "of the program"},
    {"", "onednn_version", "", "of the library oneDNN"},
    {"", "mpi_version", "", "of the MPI library"},
    {"", "isa", "", "instruction set of oneDNN's kernels"},
    {"", "simd_target", "", "instruction set of Lockstep's own kernels"},
    {"", "first_epoch", "", "the first epoch that the attempt trained"},
    {"", "outcome", "", "running, finished, interrupted or failed"},
    {"", "cause", "", "why the attempt (of a run the latest one) ended"},
    {"", "pid_namespace", "", "where pid means something"},
    {"", "process_start", "", "start of the process in clock ticks after boot; 0: not known"},
    {"", "job_token", "", "of the start of Lockstep that made the attempt"},
    {"", "heartbeat_utc", "", "when the lease on the run was renewed last, UTC"},
    {"", "heartbeats", "", "how often the lease was renewed"},
    {"", "lease_seconds", "s", "how long the lease lasts after its renewal"},
    // Files and events.
    {"", "kind", "", "what kind of event"},
    {"artifacts", "kind", "", "checkpoint, checkpoint_prev, best, final, predictions, ..."},
    {"", "path", "", "relative to the folder of this database"},
    {"", "bytes", "byte", "size of the file"},
    {"", "id", "", "in the order of writing"},
    {"", "text", "", "what happened, in words"},
};

}  // namespace

std::span<const TableText> table_texts() { return kTables; }
std::span<const ColumnText> column_texts() { return kColumns; }

const ColumnText* column_text(std::string_view table, std::string_view column) {
    const ColumnText* any = nullptr;
    for (const ColumnText& text : kColumns) {
        if (text.column != column) continue;
        if (text.table == table) return &text;
        if (text.table == std::string_view()) any = &text;
    }
    return any;
}

}  // namespace lockstep::storage
