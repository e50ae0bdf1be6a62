#pragma once

// What the store keeps, as plain values: the rows of lockstep.db and the arrays of the .h5 files.
// docs/database_schema.md describes the columns, docs/weights_layout.md the arrays.
//
// Times are UTC text ("2026-03-01T12:00:00.250Z", utc_time.hpp) or seconds; accuracies are
// fractions in [0, 1]; digests are SHA-256 in hex. Figures may be NaN or infinite.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lockstep::storage {

// One tensor of a layer, in Keras' layout and under Keras' name.
struct NamedArray {
    std::string layer;                // conv2d_1
    std::string name;                 // kernel, bias, gamma, ...; without Keras' ":0"
    std::vector<std::int64_t> shape;  // row-major
    std::vector<float> values;

    bool operator==(const NamedArray&) const = default;
};
using NamedArrays = std::vector<NamedArray>;

enum class RunState { queued, running, finished, interrupted, failed };
std::string_view to_string(RunState state);
// Throws StorageError (bad_data) for any other word.
RunState run_state_from(std::string_view text);

struct ExperimentRow {
    std::string name;         // the key
    std::string title;        // free text
    std::string file;         // the experiment file, as it was given
    std::string file_digest;  // of its bytes
    std::string created_utc;  // kept from the first time
};

struct RunRow {
    std::string run;  // the key: name + '-' + short hash of the effective config
    std::string experiment;
    std::string name;
    std::string title;
    std::string notes;   // a user's own words
    std::string source;  // where the architecture comes from
    std::int64_t seed = 0;
    std::string config_digest;
    std::string data_digest;
    std::string dataset;       // cifar10, synthetic
    std::string architecture;  // the network in words or JSON, one layer after the other
    std::string optimizer;     // adam
    int batch_size = 0;        // global
    int shards = 0;
    std::string exchange;  // ordered, ring, mpi
    std::int64_t parameters = 0;
    std::int64_t trainable_parameters = 0;
    std::int64_t flops_per_image = 0;  // forward pass
    int epochs = 0;                    // planned
    std::int64_t training_samples = 0;
    std::int64_t validation_samples = 0;
    std::int64_t test_samples = 0;
    bool validates_on_test_set = false;
    bool selected_on_test_set = false;  // weights or epoch chosen by figures of the test set
    std::string expected;          // JSON of what the source printed: {"val_accuracy":0.883}; or ""
    std::string effective_config;  // TOML text: every value and its origin
    RunState state = RunState::queued;  // set by the database's own operations
    std::string created_utc;            // kept from the first time
    // The next three are "" in a row that is older than schema version 3.
    std::string design_name{};             // name without its part for the seed
    std::string design_digest{};           // of the effective config without the seed
    std::string initial_weights_sha256{};  // of the file it starts from; "" also where none is
    std::string settings = "{}";           // JSON: the effective settings by flat keys
    std::string parent_run{};              // the run whose epochs it goes on from; ""
};

struct AttemptRow {
    std::string run;
    int attempt = 0;  // counts from 1 per run; given by begin_attempt()
    std::string host;
    std::string boot_id;  // tells a live process from one before the last boot
    std::int64_t pid = 0;
    std::string job_id;  // the scheduler's; "" outside of one
    int ranks = 0;
    std::string lockstep_version;
    std::string onednn_version;
    std::string mpi_version;
    std::string isa;
    std::string simd_target;
    int first_epoch = 1;  // the first one that this attempt trained
    std::string started_utc;
    std::string finished_utc;  // "" while it lasts, or when nothing could be written at its end
    std::string outcome;       // running, finished, interrupted, failed
    std::string cause;         // why it ended, in one line
    // The lease by which it holds its run (docs/database_schema.md). Empty in older rows.
    std::string pid_namespace{};     // pid means something in there alone
    std::int64_t process_start = 0;  // of pid, in clock ticks after boot; 0: not known
    std::string job_token{};         // of the start of Lockstep that made it
    std::string heartbeat_utc{};     // when the lease was renewed last
    std::int64_t heartbeats = 0;     // how often it was
    int lease_seconds = 0;           // how long it lasts after that; 0: older than version 4
};

struct EpochRow {
    std::string run;
    int epoch = 0;  // from 1
    int attempt = 0;
    std::int64_t steps = 0;  // updates of this epoch
    double loss = 0.0;
    double accuracy = 0.0;
    std::optional<double> val_loss;
    std::optional<double> val_accuracy;
    double learning_rate = 0.0;         // of the epoch's last step
    std::int64_t training_count = 0;    // samples trained on, each exactly once
    std::int64_t validation_count = 0;  // samples evaluated, each exactly once
    std::string weights_digest;
    double epoch_seconds = 0.0;
    double training_seconds = 0.0;
    double exchange_seconds = 0.0;
    double data_seconds = 0.0;
    double evaluation_seconds = 0.0;
    double images_per_second = 0.0;  // training_count / training_seconds
    std::string finished_utc;
    // The longest that one of the ranks stood still; none: not known, older than version 8.
    std::optional<double> stopped_seconds{};
    // Fraction whose class is among the five of the largest logits; none: not evaluated, on at most
    // five classes, or older than version 9.
    std::optional<double> val_top_5_accuracy{};
};

struct StepRow {
    std::string run;
    std::int64_t step = 0;  // of the whole run, from 0
    double loss = 0.0;      // of this step's batch, before its update
    double accuracy = 0.0;
};

// Consecutive steps as one point of a chart.
struct StepStretch {
    std::int64_t first_step = 0;  // of the whole run, from 0
    std::int64_t steps = 0;
    // Of their losses; NaN where one of them is.
    double mean_loss = 0.0;
    double lowest_loss = 0.0;
    double highest_loss = 0.0;
};

// A figure of the whole run: test_loss, test_accuracy, best_val_accuracy, best_epoch, ...
struct MetricRow {
    std::string run;
    std::string name;
    double value = 0.0;  // a NaN becomes NULL with is_nan = 1 in the table, and NaN again here
};

// Kinds of artifacts. One row per run and kind.
inline constexpr std::string_view kCheckpointArtifact = "checkpoint";
inline constexpr std::string_view kPreviousCheckpointArtifact = "checkpoint_prev";
inline constexpr std::string_view kBestArtifact = "best";
inline constexpr std::string_view kFinalArtifact = "final";
inline constexpr std::string_view kPredictionsArtifact = "predictions";
inline constexpr std::string_view kEffectiveConfigArtifact = "effective_config";

struct ArtifactRow {
    std::string run;
    std::string kind;
    std::string path;  // relative to the store, with '/'
    std::int64_t bytes = 0;
    std::string sha256;
    int epoch = 0;  // the epoch its content is from; 0 where that means nothing
};

// What is written of a run in one transaction while it is trained.
struct RecordedRows {
    std::string run;
    std::optional<EpochRow> epoch{};
    std::vector<StepRow> steps{};
    std::vector<ArtifactRow> artifacts{};
};

struct EventRow {
    std::string run;
    int attempt = 0;
    std::string utc;
    std::string kind;  // started, resumed, stopped_early, warning, finished, ...
    std::string text;
};

// Everything about one run, from one moment. (Steps aside: they may be many.)
struct RunDetails {
    RunRow run;
    std::vector<AttemptRow> attempts;
    std::vector<EpochRow> epochs;
    std::vector<MetricRow> metrics;
    std::vector<ArtifactRow> artifacts;
    std::vector<EventRow> events;
    std::vector<std::string> tags{};
    std::vector<std::string> experiments{};  // in whose lists it is; that of `run` among them
};

// What a query gives: NULL, whole number, number, text.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<Cell>> rows;  // each as long as columns
};

}  // namespace lockstep::storage
