#include "storage/exports/mlflow_files.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <system_error>

#include "storage/files/durability.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestName = 250;  // letters
constexpr std::size_t kLongestParam = 6000;
constexpr std::size_t kLongestTag = 5000;
constexpr const char* kDefaultExperimentId = "0";

void write_text(const fs::path& path, std::string_view text) {
    errno = 0;
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
    file.close();
    if (file) return;
    const int error = errno;
    throw StorageError(
        error == EACCES ? StorageError::Kind::no_permission : StorageError::Kind::io,
        fmt::format("{}: cannot be written: {}", path.string(), std::strerror(error)));
}

void remove_folder(const fs::path& folder) {
    std::error_code error;
    fs::remove_all(folder, error);
    if (!error) return;
    throw StorageError(error == std::errc::permission_denied ? StorageError::Kind::no_permission
                                                             : StorageError::Kind::io,
                       fmt::format("{}: cannot be removed: {}", folder.string(), error.message()));
}

std::string file_name(std::string_view name) {
    std::string result(name.substr(0, kLongestName));
    for (char& letter : result) {
        const bool is_allowed = std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                                std::string_view("_-. ").find(letter) != std::string_view::npos;
        if (!is_allowed) letter = '_';
    }
    return result;
}

std::string utf8_text(std::string_view text) {
    const auto replace = nlohmann::json::error_handler_t::replace;
    return nlohmann::json::parse(nlohmann::json(text).dump(-1, ' ', false, replace))
        .get<std::string>();
}

bool goes_on_a_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

// At most `most` bytes, and so letters.
std::string cut_text(std::string_view text, std::size_t most) {
    constexpr std::string_view kCut = "...";
    std::string result = utf8_text(text);
    if (result.size() <= most) return result;
    std::size_t end = most - kCut.size();
    while (end > 0 && goes_on_a_letter(result[end])) --end;
    return result.substr(0, end).append(kCut);
}

// RFC 8089; a path may hold any bytes.
std::string file_uri(const fs::path& path) {
    std::string uri = "file://";
    for (const char letter : fs::absolute(path).lexically_normal().string()) {
        const bool is_plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
                              std::string_view("/-._~").find(letter) != std::string_view::npos;
        uri += is_plain ? std::string(1, letter)
                        : fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    return uri;
}

std::string metric_lines(const std::vector<MlflowPoint>& points) {
    std::string lines;
    for (const MlflowPoint& point : points)
        lines += fmt::format("{} {} {}\n", point.unix_ms, point.value, point.step);
    return lines;
}

// All texts in it are safe names, URIs and digits: nothing that quotes would have to escape.
std::string experiment_yaml(const MlflowExperiment& experiment, const fs::path& folder) {
    return fmt::format(
        "artifact_location: '{}'\n"
        "creation_time: {}\n"
        "experiment_id: '{}'\n"
        "last_update_time: {}\n"
        "lifecycle_stage: active\n"
        "name: '{}'\n",
        file_uri(folder), experiment.created_ms, experiment.id, experiment.created_ms,
        experiment.name);
}

std::string run_yaml(const MlflowRun& run, const fs::path& folder) {
    constexpr int kLocalSource = 4;  // SourceType.LOCAL
    return fmt::format(
        "artifact_uri: '{}'\n"
        "deleted_time: null\n"
        "end_time: {}\n"
        "entry_point_name: ''\n"
        "experiment_id: '{}'\n"
        "lifecycle_stage: active\n"
        "run_id: '{}'\n"
        "run_name: '{}'\n"
        "run_uuid: '{}'\n"
        "source_name: ''\n"
        "source_type: {}\n"
        "source_version: ''\n"
        "start_time: {}\n"
        "status: {}\n"
        "tags: []\n"
        "user_id: ''\n",
        file_uri(folder / "artifacts"), run.end_ms ? std::to_string(*run.end_ms) : "null",
        run.experiment_id, run.id, run.name, run.id, kLocalSource, run.start_ms,
        static_cast<int>(run.status));
}

}  // namespace

std::string mlflow_experiment_id(std::string_view experiment) {
    constexpr std::uint64_t kSmallest = 100'000'000'000'000'000;  // of 18 digits
    const std::string digest = sha256_hex(experiment);
    const std::uint64_t number = std::stoull(digest.substr(0, 16), nullptr, 16);
    return std::to_string(kSmallest + number % (9 * kSmallest));
}

std::string mlflow_run_id(std::string_view experiment, std::string_view run) {
    return sha256_hex(fmt::format("{}\n{}", experiment, run)).substr(0, 32);
}

void make_mlflow_store(const fs::path& root) {
    make_folders(root);
    if (fs::exists(root / kDefaultExperimentId)) return;
    write_mlflow_experiment(root, {kDefaultExperimentId, "Default", 0});
}

void write_mlflow_experiment(const fs::path& root, const MlflowExperiment& experiment) {
    const fs::path folder = root / experiment.id;
    make_folders(folder);
    write_text(folder / "meta.yaml", experiment_yaml(experiment, folder));
}

void write_mlflow_run(const fs::path& root, const MlflowRun& run) {
    const fs::path folder = root / run.experiment_id / run.id;
    for (const char* replaced : {"params", "metrics"}) remove_folder(folder / replaced);
    for (const char* part : {"params", "metrics", "tags", "artifacts"}) make_folders(folder / part);
    for (const auto& [name, value] : run.params)
        write_text(folder / "params" / file_name(name), cut_text(value, kLongestParam));
    for (const auto& [name, points] : run.metrics)
        write_text(folder / "metrics" / file_name(name), metric_lines(points));
    for (const auto& [name, value] : run.tags)
        write_text(folder / "tags" / file_name(name), cut_text(value, kLongestTag));
    for (const auto& [name, content] : run.artifacts)
        write_text(folder / "artifacts" / file_name(name), content);
    write_text(folder / "meta.yaml", run_yaml(run, folder));  // last: it makes the run a run
}

}  // namespace lockstep::storage
