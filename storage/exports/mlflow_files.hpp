#pragma once

// A file store of MLflow's ("mlruns"), as its FileStore reads one [1]:
//
//   <experiment id>/meta.yaml
//   <experiment id>/<run id>/meta.yaml
//   <experiment id>/<run id>/params/<name>     the value, without an end of line
//   <experiment id>/<run id>/metrics/<name>    a line a value: "<unix ms> <value> <step>"
//   <experiment id>/<run id>/tags/<name>       the value
//   <experiment id>/<run id>/artifacts/        files
//
// Names consist of letters, digits and "_-. "; a parameter has at most 6,000 letters, a tag 5,000
// [2]: a longer one is cut, and ends in "...". Bytes that are no UTF-8 become U+FFFD.
//
// [1] mlflow/store/tracking/file_store.py of MLflow 2 and 3
// [2] mlflow/utils/validation.py

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::storage {

// The numbers of MLflow's RunStatus.
enum class MlflowStatus { running = 1, scheduled = 2, finished = 3, failed = 4, killed = 5 };

struct MlflowExperiment {
    std::string id;               // mlflow_experiment_id()
    std::string name;             // a safe name (run_store.hpp)
    std::int64_t created_ms = 0;  // since 1970, UTC; so all times here
};

struct MlflowPoint {
    std::int64_t unix_ms = 0;
    double value = 0.0;  // may be NaN or infinite
    std::int64_t step = 0;
};

struct MlflowRun {
    std::string id;  // mlflow_run_id()
    std::string experiment_id;
    std::string name;  // a safe name
    MlflowStatus status = MlflowStatus::running;
    std::int64_t start_ms = 0;
    std::optional<std::int64_t> end_ms{};
    std::map<std::string, std::string> params{};
    std::map<std::string, std::vector<MlflowPoint>> metrics{};  // none of them empty
    std::map<std::string, std::string> tags{};
    std::map<std::string, std::string> artifacts{};  // names of files and their contents
};

// Functions of the names alone, so that a second export meets the first one's folders. An
// experiment's has 18 digits, as those that MLflow gives (its databases want numbers); a run's 32
// hex digits. The same run in two experiments has two ids, since a run of MLflow's is in one.
std::string mlflow_experiment_id(std::string_view experiment);
std::string mlflow_run_id(std::string_view experiment, std::string_view run);

// Makes `root` with MLflow's experiment "Default" in it, where either is missing: MLflow itself
// makes that one only together with the folder.
void make_mlflow_store(const std::filesystem::path& root);

// Both replace what an earlier export left: params, metrics and artifacts of its names. Other tags
// of a run stay (those set in MLflow). Files are not made durable one by one: they can be exported
// again. Throw StorageError cannot_create, no_permission or io.
void write_mlflow_experiment(const std::filesystem::path& root, const MlflowExperiment& experiment);
void write_mlflow_run(const std::filesystem::path& root, const MlflowRun& run);

}  // namespace lockstep::storage
