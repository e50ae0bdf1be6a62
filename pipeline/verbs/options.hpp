#pragma once

// What the command line says, verb by verb, as plain checked values.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/verbs/bench_allreduce.hpp"
#include "reports/table_format.hpp"
#include "trainer/train_config.hpp"

namespace lockstep::pipeline {

enum class ProgressMode {
    automatic,  // a bar where stderr is a terminal, plain lines elsewhere
    bar,
    plain,
    none,      // messages alone
    quiet,     // errors alone
    protocol,  // lines from ranks to the process that started them; no user asks for it
};

enum class ColorMode { automatic, always, never };

inline constexpr const char* kDefaultStore = "lockstep-store";

// How an experiment file is read: the same for every verb that takes one.
struct SpecOptions {
    std::filesystem::path file;
    std::vector<std::string> only;              // run names; empty: all
    std::vector<std::string> settings;          // key=value, in the order given; the last one wins
    std::optional<std::filesystem::path> data;  // stands for data.path, relative to the caller
};

struct RunOptions {
    SpecOptions spec;
    std::filesystem::path store = kDefaultStore;
    std::optional<int> ranks;  // >= 1; unset: one per core, at most one per shard
    bool is_fresh = false;     // trains anew what is finished or begun
    bool retries_failed = false;
    bool is_dry_run = false;
    ProgressMode progress = ProgressMode::automatic;
    ColorMode color = ColorMode::automatic;
};

struct ValidateOptions {
    SpecOptions spec;
};

struct PlanOptions {
    SpecOptions spec;
    reports::TableFormat format = reports::TableFormat::table;
};

struct SummaryOptions {
    SpecOptions spec;
};

// What is shown of a table.
struct RowOptions {
    std::string where;                  // an SQL expression over its columns; empty: all rows
    std::vector<std::string> sort;      // columns; "-val_accuracy" from high to low
    std::vector<std::string> columns;   // empty: the usual ones
    std::optional<std::int64_t> limit;  // rows, >= 0
};

struct LsOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;  // empty: all
    RowOptions rows;         // of v_runs
    reports::TableFormat format = reports::TableFormat::table;
};

struct ShowOptions {
    std::filesystem::path store = kDefaultStore;
    std::string run;  // id, unique beginning of an id, or name
    RowOptions rows;  // of its epochs, v_epochs
    reports::TableFormat format = reports::TableFormat::table;
};

enum class ComparedBy { run, architecture };

struct CompareOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    ComparedBy by = ComparedBy::run;
    reports::TableFormat format = reports::TableFormat::table;
};

struct DiffOptions {
    std::filesystem::path store = kDefaultStore;
    std::string first;  // runs: id, unique beginning of an id, or name
    std::string second;
    reports::TableFormat format = reports::TableFormat::table;
};

struct TailOptions {
    std::filesystem::path store = kDefaultStore;
    std::string run;  // id, unique beginning of an id, or name
};

struct QueryOptions {
    std::filesystem::path store = kDefaultStore;
    std::string sql;
    reports::TableFormat format = reports::TableFormat::table;
};

// Saved weights and their network: the same for every verb that takes them.
struct SavedNetworkOptions {
    std::filesystem::path store = kDefaultStore;
    std::string subject;         // a run of the store, or a weights file
    std::filesystem::path file;  // the experiment file, where the subject is a bare weights file
    std::string run;             // its run, where the file has several
    std::vector<std::string> settings;
    std::optional<std::filesystem::path> data;
};

enum class EvaluatedSplit { test, validation, training };

struct EvaluateOptions {
    SavedNetworkOptions network;
    EvaluatedSplit split = EvaluatedSplit::test;
    // Another data set than the run's own, with the run's classes, found by name; network.data is
    // then its path.
    std::optional<trainer::DatasetName> dataset;
    reports::TableFormat format = reports::TableFormat::table;
};

struct PredictOptions {
    SavedNetworkOptions network;
    std::vector<std::string> files;  // images, and folders of images
    std::size_t top = 3;             // classes to name, >= 1
    reports::TableFormat format = reports::TableFormat::table;
};

enum class ExportedRows { runs, epochs };

struct ExportTablesOptions {
    std::filesystem::path store = kDefaultStore;
    ExportedRows kind = ExportedRows::runs;
    std::string experiment;                                   // empty: all
    reports::TableFormat format = reports::TableFormat::csv;  // csv or json
    bool is_for_spreadsheets = false;                         // text must not become a formula
};

struct ExportTensorboardOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    std::filesystem::path out;
};

enum class WeightsFormat { keras_h5, keras_weights, keras, onnx };

struct ExportWeightsOptions {
    SavedNetworkOptions network;
    WeightsFormat format = WeightsFormat::keras_h5;
    std::optional<std::filesystem::path> out;  // unset: the run's name, here
};

struct ReportOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;     // empty: the only one of the store
    std::filesystem::path out;  // the folder of the three files; empty: in the store
};

struct BenchAllreduceOptions {
    BenchOptions benchmark;
    std::optional<int> ranks;  // unset: one per core
};

}  // namespace lockstep::pipeline
