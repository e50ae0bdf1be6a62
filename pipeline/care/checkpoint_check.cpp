#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "pipeline/care/lost_and_found.hpp"
#include "pipeline/care/run_check.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"
#include "storage/weights/checkpoint_file.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactRow;
using storage::StorageError;

constexpr const char* kTheOneBefore = "put aside; checkpoint.prev.h5 takes its place";

struct CheckpointFile {
    fs::path path;
    bool is_there = false;
    std::string sha256;
    std::int64_t bytes = 0;
    std::string damage;  // why it cannot be read; "" it can
    int epochs_finished = 0;
    std::string run;
    std::string config_digest;

    bool reads() const { return is_there && damage.empty(); }
};

CheckpointFile look_at(const fs::path& path) {
    CheckpointFile file;
    file.path = path;
    try {
        const storage::Bytes bytes = storage::read_file(path);
        file.is_there = true;
        file.bytes = static_cast<std::int64_t>(bytes.size());
        file.sha256 = storage::sha256_hex(bytes);
        const auto state = storage::parse_checkpoint(bytes, "the file");
        file.epochs_finished = state.epochs_finished;
        file.run = state.run;
        file.config_digest = state.config_digest;
    } catch (const StorageError& error) {
        if (error.kind() == StorageError::Kind::missing) return file;
        file.is_there = true;
        file.damage = error.what();
    }
    return file;
}

class CheckpointCheck {
public:
    explicit CheckpointCheck(const CheckedRun& checked)
        : checked_(checked),
          row_(row_of(storage::kCheckpointArtifact)),
          previous_row_(row_of(storage::kPreviousCheckpointArtifact)),
          file_(look_at(checked.files.checkpoint)),
          previous_(look_at(checked.files.previous_checkpoint)) {}

    void check() {
        if (!row_ && !previous_row_) return check_unrecorded();
        if (is_good(file_)) return check_beside_good();
        if (is_good(previous_)) return fall_back();
        lose_all(fmt::format("checkpoint.h5 {}; checkpoint.prev.h5 {}", damage_of(file_),
                             damage_of(previous_)));
    }

private:
    std::optional<ArtifactRow> row_of(std::string_view kind) const {
        return checked_.database.artifact(checked_.run.run, kind);
    }
    bool is_good(const CheckpointFile& file) const {
        const auto is_of = [&](const auto& row) { return row && row->sha256 == file.sha256; };
        return file.reads() && (is_of(row_) || is_of(previous_row_));
    }
    std::string at(const CheckpointFile& file) const { return where(checked_, file.path); }
    void put_aside(const CheckpointFile& file) const {
        if (file.is_there) move_to_lost_and_found(checked_.store, file.path);
    }

    // No row knows a checkpoint: its row was lost, or the file was written just before a crash.
    void check_unrecorded() {
        if (!is_covered(file_) && needs_one()) return lose_all("no row tells of one");
        if (is_covered(file_)) {
            report_finding(checked_, Severity::warning, at(file_), "no row tells of it",
                           "gets its row, and training goes on from it", [&] { adopt(); });
        } else if (file_.is_there) {
            report_unknown(file_);
        }
        if (previous_.is_there) report_unknown(previous_);
    }
    // An epoch's row is written with that of its checkpoint: where there is none, it was lost.
    bool needs_one() const {
        const bool goes_on = checked_.run.state == storage::RunState::interrupted ||
                             checked_.run.state == storage::RunState::running;
        return goes_on && !checked_.database.epochs(checked_.run.run).empty();
    }
    // Whether the database has all that came before this checkpoint of the run.
    bool is_covered(const CheckpointFile& file) const {
        return file.reads() && file.run == checked_.run.run &&
               file.config_digest == checked_.run.config_digest &&
               std::cmp_greater_equal(checked_.database.epochs(checked_.run.run).size(),
                                      file.epochs_finished);
    }
    void adopt() const {
        const ArtifactRow row{checked_.run.run, std::string(storage::kCheckpointArtifact),
                              at(file_),        file_.bytes,
                              file_.sha256,     file_.epochs_finished};
        put_artifact(checked_, row);
    }
    void report_unknown(const CheckpointFile& file) const {
        report_finding(checked_, Severity::warning, at(file),
                       "no row tells of it: written just before a crash", "put aside",
                       [&] { put_aside(file); });
    }

    void check_beside_good() {
        if (!row_ || row_->sha256 != file_.sha256) {
            report_finding(checked_, Severity::warning, at(file_),
                           "its row still calls it checkpoint.prev.h5", "its row follows",
                           [&] { follow(file_); });
            return;
        }
        // The same state may be written twice; then both files are one, and the older row stays.
        if (is_good(previous_) || (!previous_row_ && !previous_.is_there)) return;
        const std::string what = !previous_.is_there ? "is missing"
                                 : previous_row_     ? damage_of(previous_)
                                                     : "no row tells of it";
        report_finding(checked_, Severity::warning, at(previous_), what,
                       "put aside; the newer checkpoint is whole", [&] {
                           put_aside(previous_);
                           checked_.database.remove_artifact(checked_.run.run,
                                                             storage::kPreviousCheckpointArtifact);
                       });
    }

    std::string damage_of(const CheckpointFile& file) const {
        if (!file.is_there) return "is missing";
        const std::string damage =
            file.damage.empty() ? "not what the database recorded" : file.damage;
        return "damaged: " + damage;
    }
    void follow(const CheckpointFile& file) const {
        checked_.database.promote_previous_checkpoint(checked_.run.run, file.sha256);
    }

    void fall_back() {
        // A checkpoint was being replaced: the one before is the one that the row tells of.
        const bool was_replaced = row_ && row_->sha256 == previous_.sha256;
        const bool is_loose_end = was_replaced && (file_.reads() || !file_.is_there);
        const std::string what = !is_loose_end ? damage_of(file_)
                                 : file_.is_there
                                     ? "newer than its row: written just before a crash"
                                     : "a crash came while it was replaced";
        report_finding(checked_, is_loose_end ? Severity::warning : Severity::error, at(file_),
                       what, kTheOneBefore, [&] {
                           put_aside(file_);
                           storage::promote_previous_checkpoint(file_.path, previous_.path);
                           follow(previous_);
                       });
    }

    void lose_all(const std::string& why) {
        const bool is_finished = checked_.run.state == storage::RunState::finished;
        const std::string what = "no checkpoint can be used: " + why;
        report_finding(checked_, is_finished ? Severity::warning : Severity::error, at(file_), what,
                       is_finished ? "put aside; a finished run needs none"
                                   : "put aside; becomes `failed`, --retry-failed starts it anew",
                       [&] { forget_all(is_finished); });
    }
    void forget_all(bool is_finished) const {
        put_aside(file_);
        put_aside(previous_);
        if (!is_finished) give_up(checked_, "its checkpoints were damaged or lost");
        for (const auto kind :
             {storage::kCheckpointArtifact, storage::kPreviousCheckpointArtifact}) {
            checked_.database.remove_artifact(checked_.run.run, kind);
        }
    }

    const CheckedRun& checked_;
    std::optional<ArtifactRow> row_;
    std::optional<ArtifactRow> previous_row_;
    CheckpointFile file_;
    CheckpointFile previous_;
};

}  // namespace

void check_checkpoints(const CheckedRun& checked) { CheckpointCheck(checked).check(); }

}  // namespace lockstep::pipeline
