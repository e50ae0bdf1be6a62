#include "pipeline/verbs/export_tensorboard.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/exports/tensorboard_file.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"
#include "storage/files/utc_time.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::EpochRow;
using storage::ScalarEvent;

ScalarEvent scalar(const EpochRow& row, const char* tag, double value) {
    return {tag, row.epoch - 1, storage::unix_seconds(row.finished_utc).value_or(0.0),
            static_cast<float>(value)};
}

std::vector<ScalarEvent> training_curves(const std::vector<EpochRow>& rows) {
    std::vector<ScalarEvent> events;
    for (const EpochRow& row : rows) {
        events.push_back(scalar(row, "epoch_loss", row.loss));
        events.push_back(scalar(row, "epoch_accuracy", row.accuracy));
        events.push_back(scalar(row, "epoch_learning_rate", row.learning_rate));
    }
    return events;
}

std::vector<ScalarEvent> validation_curves(const std::vector<EpochRow>& rows) {
    std::vector<ScalarEvent> events;
    for (const EpochRow& row : rows) {
        if (row.val_loss) events.push_back(scalar(row, "epoch_loss", *row.val_loss));
        if (row.val_accuracy) events.push_back(scalar(row, "epoch_accuracy", *row.val_accuracy));
    }
    return events;
}

// TensorBoard finds files by "tfevents" in their names. Host and process, which usually follow,
// would make another file of every export, and TensorBoard draws all it finds.
void write_curves(const fs::path& folder, const std::vector<ScalarEvent>& events) {
    if (events.empty()) return;
    storage::make_folders(folder);
    const double begin = events.front().unix_time;
    storage::replace_file(folder / fmt::format("events.out.tfevents.{:.0f}.lockstep", begin),
                          storage::tensorboard_file_bytes(begin, events));
}

}  // namespace

int export_tensorboard(const ExportTensorboardOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    const std::vector<std::string> runs =
        options.runs.empty() ? texts_of(database.runs_table(options.experiment), "run")
                             : matching_runs(database, options.runs);
    std::size_t written = 0;
    for (const std::string& run : runs) {
        const std::vector<EpochRow> rows = database.epochs(run);
        write_curves(options.out / run / "train", training_curves(rows));
        write_curves(options.out / run / "validation", validation_curves(rows));
        written += rows.empty() ? 0 : 1;
    }
    print(fmt::format("{} of {} runs in {}\n", written, runs.size(),
                      reports::terminal_text(options.out.string())));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
