#include "pipeline/verbs/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/store/artifact_file.hpp"
#include "pipeline/training/run_lock.hpp"
#include "pipeline/verbs/merge_choice.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::ArtifactRow;
using storage::RunDatabase;
using storage::RunDetails;
using storage::RunState;
using storage::RunStore;

bool has_newest(const std::vector<ArtifactRow>& rows) {
    return std::ranges::find(rows, storage::kCheckpointArtifact, &ArtifactRow::kind) != rows.end();
}

// Merging once more adds nothing.
std::string joined_notes(const std::string& ours, const std::string& theirs) {
    if (ours.find(theirs) != std::string::npos) return ours;
    return ours.empty() ? theirs : fmt::format("{}; {}", ours, theirs);
}

// --store is the other side.
RunStore open_source(const fs::path& from) {
    try {
        return RunStore::open(from);
    } catch (const storage::NoStoreError& error) {
        throw storage::StorageError(error.kind(), error.what());
    }
}

class Merger {
public:
    Merger(const fs::path& from, const RunStore& into, RunDatabase& database)
        : from_(open_source(from)),
          source_(open_again_for_reading(from)),
          into_(into),
          database_(database) {}

    void merge() {
        for (const storage::ExperimentRow& row : source_.experiments()) {
            const auto known = database_.experiments();
            const bool is_known = std::ranges::any_of(
                known, [&](const auto& other) { return other.name == row.name; });
            if (!is_known) database_.put_experiment(row);
        }
        for (const storage::RunRow& row : source_.runs()) merge_run(row.run);
        for (const storage::ExperimentRow& experiment : source_.experiments()) {
            std::vector<std::string> ids;
            for (const storage::RunRow& row : source_.runs(experiment.name)) ids.push_back(row.run);
            database_.list_runs(experiment.name, ids);
        }
    }

private:
    // Rows that its database has not taken in yet: they would be taken for those of what is merged.
    static bool has_spool(const storage::RunStore& store, const std::string& run) {
        return !storage::spools_in(store.run_files(run).folder).empty();
    }

    void merge_run(const std::string& run) {
        RunDetails theirs = source_.run_details(run);
        std::optional<RunDetails> ours;
        if (database_.find_run(run)) ours = database_.run_details(run);
        MergeChoice choice = choice_of(theirs, ours);
        if (ours && choice != MergeChoice::other_data) join_words(theirs, *ours);
        if (choice == MergeChoice::take && (has_spool(from_, run) || has_spool(into_, run)))
            choice = MergeChoice::waits;
        if (choice == MergeChoice::take && ours && !can_replace(theirs))
            choice = MergeChoice::lacking;
        if (choice == MergeChoice::take) {
            const auto lock = take_folder(run);
            choice = lock ? take(theirs, ours) : MergeChoice::busy;
        }
        print(fmt::format("{}: {}\n", run, words_for(choice)));
    }

    // In a transaction, as trainings do: `gc` and `fsck`, which take folders without a row away in
    // one, see either no folder or one that is held.
    std::optional<RunLock> take_folder(const std::string& run) {
        std::optional<RunLock> lock;
        database_.write_at_once([&] { lock = RunLock::take(into_.make_run_folder(run).folder); });
        return lock;
    }

    // Looked at before anything of the run here is touched; what is amiss is told.
    bool can_replace(const RunDetails& theirs) const {
        std::vector<ArtifactRow> whole;
        std::string faults;
        for (const ArtifactRow& row : theirs.artifacts) {
            const ArtifactFile file = find_artifact(from_, row);
            if (file.content)
                whole.push_back(row);
            else
                faults += warning_of(row, file);
        }
        if (is_enough(theirs, whole)) return true;
        print(faults);
        return false;
    }

    // A user's words of both sides, whichever training is kept.
    void join_words(RunDetails& theirs, const RunDetails& ours) {
        theirs.run.notes = joined_notes(ours.run.notes, theirs.run.notes);
        std::vector<std::string> tags;
        std::ranges::set_union(theirs.tags, ours.tags, std::back_inserter(tags));
        theirs.tags = tags;
        if (theirs.tags == ours.tags && theirs.run.notes == ours.run.notes) return;
        database_.annotate(ours.run.run, {.added_tags = tags, .note = theirs.run.notes});
    }

    // Files first: rows never tell of files that are not there. But for the checkpoint before the
    // newest where a run is here already: in that place its own one waits until the rows are
    // theirs, so that it can go on wherever this is killed.
    MergeChoice take(RunDetails theirs, const std::optional<RunDetails>& ours) {
        const storage::RunFiles files = into_.run_files(theirs.run.run);
        if (ours) keep_checkpoint(files);
        std::optional<storage::Bytes> previous;
        const std::vector<ArtifactRow> copied = copy_files(theirs, ours.has_value(), previous);
        const bool is_complete = is_enough(theirs, copied);
        if (ours && !is_complete) return MergeChoice::lacking;  // since they were looked at
        theirs.artifacts = copied;
        std::error_code ignored;
        fs::copy_file(from_.run_files(theirs.run.run).log, files.log,
                      fs::copy_options::overwrite_existing, ignored);
        end_dead_attempt(ours);
        database_.import_run(theirs, source_.steps(theirs.run.run));
        if (previous)
            storage::replace_file(files.previous_checkpoint, *previous);
        else if (ours)
            fs::remove(files.previous_checkpoint, ignored);
        // Of a finished one without its results the files that are left out are told.
        const bool is_stuck = !is_complete && theirs.run.state != RunState::finished;
        return is_stuck ? MergeChoice::stuck : MergeChoice::take;
    }

    // The rows of what is whole. The checkpoint before the newest goes to `previous` where a run is
    // here; it becomes the newest where that one, whose row comes first, is lost.
    std::vector<ArtifactRow> copy_files(const RunDetails& theirs, bool is_here,
                                        std::optional<storage::Bytes>& previous) const {
        const storage::RunFiles files = into_.run_files(theirs.run.run);
        std::vector<ArtifactRow> copied;
        for (ArtifactRow row : theirs.artifacts) {
            ArtifactFile file = find_artifact(from_, row);
            if (!file.content) {
                print(warning_of(row, file));
                continue;
            }
            if (row.kind == storage::kPreviousCheckpointArtifact && !has_newest(copied)) {
                row.kind = storage::kCheckpointArtifact;
                row.path = into_.relative_path(files.checkpoint);
            }
            copied.push_back(row);
            if (is_here && row.kind == storage::kPreviousCheckpointArtifact)
                previous = std::move(file.content);
            else
                storage::replace_file(files.folder / fs::path(row.path).filename(), *file.content);
        }
        return copied;
    }

    // The newest good one of the run that is here, under its second name.
    void keep_checkpoint(const storage::RunFiles& files) const {
        std::error_code unknown;
        if (!fs::is_regular_file(files.checkpoint, unknown)) return;
        const auto known = database_.checkpoint_digests(files.folder.filename().string());
        const storage::Bytes content = storage::read_file(files.checkpoint);
        if (std::ranges::find(known, storage::sha256_hex(content)) != known.end())
            storage::replace_file(files.previous_checkpoint, content);
    }

    std::string warning_of(const ArtifactRow& row, const ArtifactFile& file) const {
        return fmt::format("warning: {} {}; left out\n",
                           printable((from_.root() / row.path).string()), file.fault);
    }

    void end_dead_attempt(const std::optional<RunDetails>& ours) {
        if (!ours || ours->attempts.empty() || ours->attempts.back().outcome != "running") return;
        database_.give_back(ours->run.run, ours->attempts.back().attempt, ours->run.state,
                            "ended without a word");
    }

    RunStore from_;
    RunDatabase source_;
    const RunStore& into_;
    RunDatabase& database_;
};

}  // namespace

int merge(const MergeOptions& options) {
    for (const std::string& from : options.from) open_for_reading(from);  // before one is made
    const RunStore into = RunStore::create(options.store);
    RunDatabase database(into.database(), storage::DatabaseAccess::read_write);
    for (const std::string& from : options.from) Merger(from, into, database).merge();
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
