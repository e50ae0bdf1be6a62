#include "pipeline/verbs/export_tensorboard.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "pipeline/exporting/tensorboard_run.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/store/run_table.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/words/terminal_text.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/durability.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNameBegin = "events.out.tfevents.";
constexpr std::string_view kNameEnd = ".lockstep";

// TensorBoard draws all files that it finds in a folder, so those of an earlier export go.
void remove_earlier(const fs::path& folder, const std::string& kept) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
        const std::string name = entry.path().filename().string();
        if (name != kept && name.starts_with(kNameBegin) && name.ends_with(kNameEnd))
            fs::remove(entry.path(), error);
    }
}

// TensorBoard finds files by "tfevents" in their names. Host and process, which usually follow,
// would make another file of every export.
template <class Event>
void write_events(const fs::path& folder, const std::vector<Event>& events) {
    double begin = events.front().unix_time;
    for (const Event& event : events) begin = std::min(begin, event.unix_time);
    const std::string name = fmt::format("{}{:.0f}{}", kNameBegin, begin, kNameEnd);
    storage::make_folders(folder);
    storage::replace_file(folder / name,
                          storage::tensorboard_file_bytes(begin, std::span<const Event>(events)));
    remove_earlier(folder, name);
}

// Returns whether there was anything to draw.
bool write_run(const fs::path& folder, const storage::RunDetails& details,
               const std::vector<storage::StepRow>& steps, const RunHparams& hparams) {
    const auto curves = tensorboard_curves(details, steps);
    for (const char* part : {"train", "validation", "test"}) {
        const auto found = curves.find(part);
        if (found != curves.end()) {
            write_events(folder / part, found->second);
        } else {
            remove_earlier(folder / part, "");
        }
    }
    if (!curves.empty())
        write_events(folder, storage::hparams_session(tensorboard_session(details, hparams)));
    return !curves.empty();
}

}  // namespace

int export_tensorboard(const ExportTensorboardOptions& options) {
    const storage::RunDatabase database = open_for_reading(options.store);
    require_experiment(database, options.experiment);
    const std::vector<std::string> runs =
        options.runs.empty() ? texts_of(database.runs_table(options.experiment), "run")
                             : matching_runs(database, options.runs);
    const RunHparams hparams =
        run_hparams(runs_with_settings(database, options.runs.empty() ? options.experiment : ""),
                    std::set<std::string>(runs.begin(), runs.end()));
    std::size_t written = 0;
    std::vector<std::string> left_out;
    double begin = 0.0;  // of the first run
    for (const std::string& run : runs) {
        const storage::RunDetails details = details_of(database, run);
        if (!write_run(options.out / run, details, database.steps(run), hparams)) {
            left_out.push_back(run);
            continue;
        }
        const double start = tensorboard_session(details, hparams).start_unix_time;
        begin = written == 0 ? start : std::min(begin, start);
        ++written;
    }
    if (written > 0) {
        write_events(options.out, std::vector<storage::PluginEvent>{storage::hparams_experiment(
                                      begin, hparams.hparams, tensorboard_metrics())});
    }
    if (!left_out.empty())
        fmt::print(stderr, "left out, as no epoch of them is finished: {}\n",
                   fmt::join(left_out, ", "));
    print(fmt::format("{} of {} runs in {}\n", written, runs.size(),
                      reports::terminal_text(options.out.string())));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
