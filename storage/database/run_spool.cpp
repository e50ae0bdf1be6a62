#include "storage/database/run_spool.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "storage/files/append_file.hpp"
#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::string_view kPrefix = "spool-";
constexpr std::string_view kSuffix = ".jsonl";

// JSON knows no NaN and no infinity: they are text. Numbers come back to the bit.
Json figure(double value) {
    if (std::isfinite(value)) return value;
    return fmt::format("{}", value);
}

double figure_from(const Json& json) {
    return json.is_string() ? std::strtod(json.get<std::string>().c_str(), nullptr)
                            : json.get<double>();
}

Json optional_figure(const std::optional<double>& value) { return value ? figure(*value) : Json(); }

std::optional<double> optional_from(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional(figure_from(json));
}

Json json_of(const EpochRow& row) {
    return {{"epoch", row.epoch},
            {"attempt", row.attempt},
            {"steps", row.steps},
            {"loss", figure(row.loss)},
            {"accuracy", figure(row.accuracy)},
            {"val_loss", optional_figure(row.val_loss)},
            {"val_accuracy", optional_figure(row.val_accuracy)},
            {"learning_rate", figure(row.learning_rate)},
            {"training_count", row.training_count},
            {"validation_count", row.validation_count},
            {"weights_digest", row.weights_digest},
            {"epoch_seconds", figure(row.epoch_seconds)},
            {"training_seconds", figure(row.training_seconds)},
            {"exchange_seconds", figure(row.exchange_seconds)},
            {"data_seconds", figure(row.data_seconds)},
            {"evaluation_seconds", figure(row.evaluation_seconds)},
            {"images_per_second", figure(row.images_per_second)},
            {"finished_utc", row.finished_utc},
            {"stopped_seconds", optional_figure(row.stopped_seconds)},
            {"val_top_5_accuracy", optional_figure(row.val_top_5_accuracy)}};
}

EpochRow epoch_from(const std::string& run, const Json& json) {
    return {.run = run,
            .epoch = json.at("epoch"),
            .attempt = json.at("attempt"),
            .steps = json.at("steps"),
            .loss = figure_from(json.at("loss")),
            .accuracy = figure_from(json.at("accuracy")),
            .val_loss = optional_from(json.at("val_loss")),
            .val_accuracy = optional_from(json.at("val_accuracy")),
            .learning_rate = figure_from(json.at("learning_rate")),
            .training_count = json.at("training_count"),
            .validation_count = json.at("validation_count"),
            .weights_digest = json.at("weights_digest"),
            .epoch_seconds = figure_from(json.at("epoch_seconds")),
            .training_seconds = figure_from(json.at("training_seconds")),
            .exchange_seconds = figure_from(json.at("exchange_seconds")),
            .data_seconds = figure_from(json.at("data_seconds")),
            .evaluation_seconds = figure_from(json.at("evaluation_seconds")),
            .images_per_second = figure_from(json.at("images_per_second")),
            .finished_utc = json.at("finished_utc"),
            .stopped_seconds = optional_from(json.value("stopped_seconds", Json())),
            .val_top_5_accuracy = optional_from(json.value("val_top_5_accuracy", Json()))};
}

std::string line_of(const RecordedRows& rows) {
    Json json{{"run", rows.run}, {"steps", Json::array()}, {"artifacts", Json::array()}};
    if (rows.epoch) json["epoch"] = json_of(*rows.epoch);
    for (const StepRow& row : rows.steps) {
        json["steps"].push_back({row.step, figure(row.loss), figure(row.accuracy)});
    }
    for (const ArtifactRow& row : rows.artifacts) {
        json["artifacts"].push_back({{"kind", row.kind},
                                     {"path", row.path},
                                     {"bytes", row.bytes},
                                     {"sha256", row.sha256},
                                     {"epoch", row.epoch}});
    }
    return json.dump();
}

// Throws nlohmann's errors for a line that is not whole.
RecordedRows rows_from(std::string_view line) {
    const Json json = Json::parse(line);
    RecordedRows rows;
    rows.run = json.at("run");
    if (json.contains("epoch")) rows.epoch = epoch_from(rows.run, json.at("epoch"));
    for (const Json& step : json.at("steps")) {
        rows.steps.push_back(
            {rows.run, step.at(0), figure_from(step.at(1)), figure_from(step.at(2))});
    }
    for (const Json& file : json.at("artifacts")) {
        rows.artifacts.push_back({rows.run, file.at("kind"), file.at("path"), file.at("bytes"),
                                  file.at("sha256"), file.at("epoch")});
    }
    return rows;
}

std::vector<RecordedRows> rows_in(const fs::path& file) {
    const Bytes bytes = read_file(file);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::vector<RecordedRows> all;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        if (end == std::string_view::npos) break;  // cut short
        try {
            if (end > begin) all.push_back(rows_from(text.substr(begin, end - begin)));
        } catch (const Json::exception&) {
            // Cut short by a full disk, and others came after it.
        }
        begin = end + 1;
    }
    return all;
}

// The attempt of a spool's name; 0 for any other name.
int attempt_of(const std::string& name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return 0;
    int attempt = 0;
    const char* const end = name.data() + name.size() - kSuffix.size();
    const auto [stop, error] = std::from_chars(name.data() + kPrefix.size(), end, attempt);
    return error == std::errc{} && stop == end ? attempt : 0;
}

}  // namespace

std::map<int, fs::path> spools_in(const fs::path& folder) {
    std::map<int, fs::path> spools;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error); entry != fs::directory_iterator();
         entry.increment(error)) {
        const int attempt = attempt_of(entry->path().filename().string());
        if (attempt > 0) spools[attempt] = entry->path();
    }
    return spools;
}

RunSpool::RunSpool(fs::path run_folder, int attempt)
    : folder_(std::move(run_folder)), attempt_(attempt) {}

fs::path RunSpool::file_of(int attempt) const {
    return folder_ / fmt::format("{}{}{}", kPrefix, attempt, kSuffix);
}

void RunSpool::append(const RecordedRows& rows) const {
    append_line(file_of(attempt_), line_of(rows));
}

bool RunSpool::is_empty() const {
    std::error_code unknown;
    return !fs::exists(file_of(attempt_), unknown);
}

void RunSpool::take_in(RunDatabase& database) const {
    if (!is_empty()) take_in(database, file_of(attempt_));
}

void RunSpool::take_in_all(RunDatabase& database) const {
    for (const auto& [attempt, file] : spools_in(folder_))
        if (attempt <= attempt_) take_in(database, file);
}

void RunSpool::take_in(RunDatabase& database, const fs::path& file) const {
    database.record(attempt_, rows_in(file));
    std::error_code ignored;
    fs::remove(file, ignored);
}

}  // namespace lockstep::storage
