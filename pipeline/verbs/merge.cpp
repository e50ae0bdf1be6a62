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
#include "pipeline/recording/process_identity.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/training/run_lock.hpp"
#include "storage/database/run_spool.hpp"
#include "storage/files/atomic_file.hpp"
#include "storage/files/run_store.hpp"
#include "storage/files/sha256.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

namespace fs = std::filesystem;
using storage::RunDatabase;
using storage::RunDetails;
using storage::RunState;
using storage::RunStore;

bool is_trained_now(const RunDetails& run) {
    return !run.attempts.empty() && is_alive(run.attempts.back());
}

// What does not depend on when and where it was trained.
bool has_same_figures(const RunDetails& one, const RunDetails& other) {
    return one.run.data_digest == other.run.data_digest &&
           std::ranges::equal(one.epochs, other.epochs,
                              [](const auto& a, const auto& b) {
                                  return a.epoch == b.epoch && a.weights_digest == b.weights_digest;
                              }) &&
           std::ranges::equal(one.metrics, other.metrics, [](const auto& a, const auto& b) {
               return a.name == b.name &&
                      (a.value == b.value || (a.value != a.value && b.value != b.value));
           });
}

enum class Choice { take, same, keep, differs, busy, waits };

Choice choice_of(const RunDetails& theirs, const std::optional<RunDetails>& ours) {
    if (is_trained_now(theirs) || (ours && is_trained_now(*ours))) return Choice::busy;
    if (!ours) return Choice::take;
    const bool is_done = ours->run.state == RunState::finished;
    const bool is_theirs_done = theirs.run.state == RunState::finished;
    if (is_done && is_theirs_done) {
        return has_same_figures(theirs, *ours) ? Choice::same : Choice::differs;
    }
    if (is_done != is_theirs_done) return is_done ? Choice::keep : Choice::take;
    return theirs.epochs.size() > ours->epochs.size() ? Choice::take : Choice::keep;
}

const char* words_for(Choice choice) {
    switch (choice) {
        case Choice::take:
            return "taken";
        case Choice::same:
            return "here already";
        case Choice::keep:
            return "kept: the one here is as far or further";
        case Choice::differs:
            return "differs: both are finished, with other figures; the one here is kept";
        case Choice::busy:
            return "left out: it is being trained";
        case Choice::waits:
            return "left out: rows of it wait beside its database; `lockstep fsck --repair` there "
                   "takes them in";
    }
    return "";
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
        if (ours) join_words(theirs, *ours);
        Choice choice = choice_of(theirs, ours);
        if (choice == Choice::take && (has_spool(from_, run) || has_spool(into_, run)))
            choice = Choice::waits;
        if (choice == Choice::take) {
            const auto lock = take_folder(run);
            if (lock) {
                take(theirs, ours);
            } else {
                choice = Choice::busy;
            }
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
    void take(RunDetails theirs, const std::optional<RunDetails>& ours) {
        const storage::RunFiles files = into_.run_files(theirs.run.run);
        std::vector<storage::ArtifactRow> copied;
        std::optional<storage::Bytes> previous;
        if (ours) keep_checkpoint(files);
        for (const storage::ArtifactRow& row : theirs.artifacts) {
            std::optional<storage::Bytes> content = content_of(row);
            if (!content) continue;
            copied.push_back(row);
            if (ours && row.kind == storage::kPreviousCheckpointArtifact)
                previous = std::move(content);
            else
                storage::replace_file(files.folder / fs::path(row.path).filename(), *content);
        }
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

    // Nothing, and told, where the file is not the one that the database tells of.
    std::optional<storage::Bytes> content_of(const storage::ArtifactRow& row) const {
        try {
            storage::Bytes content = storage::read_file(from_.root() / row.path);
            if (storage::sha256_hex(content) == row.sha256) return content;
            tell(row, "is another one than its database tells of");
        } catch (const storage::StorageError& error) {
            if (error.kind() != storage::StorageError::Kind::missing) throw;
            tell(row, "is missing");
        }
        return std::nullopt;
    }

    void tell(const storage::ArtifactRow& row, const char* what) const {
        print(fmt::format("warning: {} {}; left out\n",
                          printable((from_.root() / row.path).string()), what));
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
