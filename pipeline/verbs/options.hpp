#pragma once

// What the command line says, verb by verb, as plain checked values.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/verbs/bench_allreduce.hpp"
#include "reports/table_format.hpp"

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

struct LsOptions {
    std::filesystem::path store = kDefaultStore;
    std::string experiment;  // empty: all
    reports::TableFormat format = reports::TableFormat::table;
};

struct ShowOptions {
    std::filesystem::path store = kDefaultStore;
    std::string run;  // id, unique beginning of an id, or name
    reports::TableFormat format = reports::TableFormat::table;
};

struct CompareOptions {
    std::filesystem::path store = kDefaultStore;
    std::vector<std::string> runs;  // empty: all of `experiment`, or all there are
    std::string experiment;
    reports::TableFormat format = reports::TableFormat::table;
};

struct QueryOptions {
    std::filesystem::path store = kDefaultStore;
    std::string sql;
    reports::TableFormat format = reports::TableFormat::table;
};

enum class EvaluatedSplit { test, validation, training };

struct EvaluateOptions {
    std::filesystem::path store = kDefaultStore;
    std::string subject;         // a run of the store, or a weights file
    std::filesystem::path file;  // the experiment file, where the subject is a bare weights file
    std::string run;             // its run, where the file has several
    std::vector<std::string> settings;
    std::optional<std::filesystem::path> data;
    EvaluatedSplit split = EvaluatedSplit::test;
    reports::TableFormat format = reports::TableFormat::table;
};

struct BenchAllreduceOptions {
    BenchOptions benchmark;
    std::optional<int> ranks;  // unset: one per core
};

}  // namespace lockstep::pipeline
