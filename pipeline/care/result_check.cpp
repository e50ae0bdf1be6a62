#include <fmt/format.h>

#include <array>
#include <exception>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <variant>

#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/rebuilt_weights.hpp"
#include "pipeline/care/run_check.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/files/utc_time.hpp"
#include "storage/weights/predictions_file.hpp"
#include "storage/weights/weights_file.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactRow;
using storage::RunState;
using storage::StorageError;

struct ResultFile {
    std::string_view kind;
    fs::path path;
};

// "" if the file can be read as what it is.
std::string reading_error(const ResultFile& file, const storage::Bytes& bytes) {
    try {
        const bool is_weights =
            file.kind == storage::kBestArtifact || file.kind == storage::kFinalArtifact;
        if (is_weights) storage::parse_model_file(bytes, "the file");
        if (file.kind == storage::kPredictionsArtifact) storage::read_predictions(file.path);
        return "";
    } catch (const StorageError& error) {
        return error.what();
    }
}

// What is wrong with a file beside its row; "" nothing.
std::string fault_of(const ResultFile& file, const ArtifactRow& row) {
    storage::Bytes bytes;
    try {
        bytes = storage::read_file(file.path);
    } catch (const StorageError& error) {
        return error.kind() == StorageError::Kind::missing ? "is missing" : error.what();
    }
    if (static_cast<std::int64_t>(bytes.size()) != row.bytes) {
        return fmt::format("has {} bytes, its row says {}", bytes.size(), row.bytes);
    }
    if (storage::sha256_hex(bytes) != row.sha256) return "not the bytes that its row tells of";
    const std::string error = reading_error(file, bytes);
    return error.empty() ? "" : "cannot be read: " + error;
}

class ResultCheck {
public:
    ResultCheck(const CheckedRun& checked, ResultFile file)
        : checked_(checked), file_(std::move(file)) {}

    void check() {
        const auto row = checked_.database.artifact(checked_.run.run, file_.kind);
        if (!row) return check_unrecorded();
        const std::string fault = fault_of(file_, *row);
        if (!fault.empty()) mend(*row, fault);
    }

private:
    std::string at() const { return where(checked_, file_.path); }
    bool is_there() const {
        std::error_code error;
        return fs::exists(fs::symlink_status(file_.path, error));
    }
    void put_aside() const {
        if (is_there()) move_to_lost_and_found(checked_.store, file_.path);
    }
    bool is_config() const { return file_.kind == storage::kEffectiveConfigArtifact; }

    void check_unrecorded() {
        const bool is_finished = checked_.run.state == RunState::finished;
        if (is_config()) return check_unrecorded_config();
        if (const auto row = proven_row()) {
            report_finding(checked_, Severity::warning, at(),
                           "no row tells of it; it is what the checkpoint gives", "gets its row",
                           [&] { put_artifact(checked_, *row); });
            return;
        }
        if (is_finished && file_.kind != storage::kBestArtifact && has_checkpoint()) {
            report_finding(checked_, Severity::warning, at(),
                           "the run is finished, and no row tells of it",
                           "the run becomes `interrupted`: the same command makes it again",
                           [&] { make_again("had no row"); });
            return;
        }
        if (!is_there()) return;
        report_finding(checked_, Severity::warning, at(),
                       "no row tells of it: written just before a crash", "put aside",
                       [&] { put_aside(); });
    }

    void check_unrecorded_config() {
        const bool has_begun = !checked_.database.attempts(checked_.run.run).empty();
        if (!has_begun && !is_there()) return;
        report_finding(checked_, Severity::warning, at(), "no row tells of it",
                       "written again from the database", [&] { write_config(); });
    }

    // The row of weights that lost it, if the checkpoint gives the very same bytes.
    std::optional<ArtifactRow> proven_row() const {
        if (file_.kind == storage::kPredictionsArtifact || !is_there()) return std::nullopt;
        try {
            const storage::Bytes bytes = storage::read_file(file_.path);
            const auto file = storage::parse_model_file(bytes, "the file");
            if (!file.state || !file.state->values.contains("epoch")) return std::nullopt;
            const auto epoch = std::get<std::int64_t>(file.state->values.at("epoch"));
            const ArtifactRow row{checked_.run.run,
                                  std::string(file_.kind),
                                  at(),
                                  static_cast<std::int64_t>(bytes.size()),
                                  storage::sha256_hex(bytes),
                                  static_cast<int>(epoch)};
            if (can_rebuild_weights(checked_, row)) return row;
        } catch (const std::exception&) {
            // Not to be read: nothing is proven.
        }
        return std::nullopt;
    }

    void mend(const ArtifactRow& row, const std::string& fault) {
        // A run that goes on writes its results again.
        const bool is_finished = checked_.run.state == RunState::finished;
        const Severity severity = is_finished ? Severity::error : Severity::warning;
        if (is_config())
            return report(severity, fault, "written again from the database",
                          [&] { write_config(); });
        if (file_.kind != storage::kPredictionsArtifact && can_rebuild_weights(checked_, row)) {
            return report(severity, fault, "made again from the checkpoint, the same bytes", [&] {
                put_aside();
                rebuild_weights(checked_, row, file_.path);
            });
        }
        if (is_finished && file_.kind != storage::kBestArtifact && has_checkpoint()) {
            return report(severity, fault,
                          "the run becomes `interrupted`: the same command makes it again", [&] {
                              forget();
                              set_state(checked_, RunState::interrupted,
                                        fmt::format("{} was damaged or lost", row.path));
                          });
        }
        report(severity, fault,
               is_finished ? "put aside; it is lost, the run's figures stay"
                           : "put aside; going on writes it again",
               [&] { forget(); });
    }

    void report(Severity severity, const std::string& fault, const std::string& repair,
                const std::function<void()>& mend) {
        report_finding(checked_, severity, at(), fault, repair, mend);
    }

    void make_again(const char* why) const {
        forget();
        set_state(checked_, RunState::interrupted, fmt::format("{} {}", at(), why));
    }
    void forget() const {
        put_aside();
        checked_.database.remove_artifact(checked_.run.run, file_.kind);
    }
    bool has_checkpoint() const {
        return checked_.database.artifact(checked_.run.run, storage::kCheckpointArtifact)
            .has_value();
    }
    void write_config() const {
        put_aside();
        const auto saved =
            storage::replace_file(file_.path, std::string_view(checked_.run.effective_config));
        const ArtifactRow row{
            checked_.run.run, std::string(file_.kind), at(), saved.bytes, saved.sha256, 0};
        put_artifact(checked_, row);
    }

    const CheckedRun& checked_;
    ResultFile file_;
};

}  // namespace

void check_results(const CheckedRun& checked) {
    const std::array files{
        ResultFile{storage::kEffectiveConfigArtifact, checked.files.effective_config},
        ResultFile{storage::kBestArtifact, checked.files.best},
        ResultFile{storage::kFinalArtifact, checked.files.final_weights},
        ResultFile{storage::kPredictionsArtifact, checked.files.predictions}};
    for (const ResultFile& file : files) ResultCheck(checked, file).check();
}

}  // namespace lockstep::pipeline
