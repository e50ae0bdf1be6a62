#include "pipeline/verbs/merge_choice.hpp"

#include <algorithm>

#include "pipeline/recording/process_identity.hpp"

namespace lockstep::pipeline {
namespace {

using storage::ArtifactRow;
using storage::RunDetails;
using storage::RunState;

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

// A run that has read no data yet may read any.
bool is_of_other_data(const RunDetails& theirs, const RunDetails& ours) {
    return !theirs.run.data_digest.empty() && !ours.run.data_digest.empty() &&
           theirs.run.data_digest != ours.run.data_digest;
}

// A failed run begins anew, and not by itself: it takes no place of one that is under way.
bool ends_a_training(const RunDetails& theirs, const RunDetails& ours) {
    return theirs.run.state == RunState::failed && ours.run.state != RunState::failed &&
           !ours.epochs.empty();
}

bool is_checkpoint(const ArtifactRow& row) {
    return row.kind == storage::kCheckpointArtifact ||
           row.kind == storage::kPreviousCheckpointArtifact;
}

}  // namespace

MergeChoice choice_of(const RunDetails& theirs, const std::optional<RunDetails>& ours) {
    if (is_trained_now(theirs) || (ours && is_trained_now(*ours))) return MergeChoice::busy;
    if (!ours) return MergeChoice::take;
    if (is_of_other_data(theirs, *ours)) return MergeChoice::other_data;
    const bool is_done = ours->run.state == RunState::finished;
    const bool is_theirs_done = theirs.run.state == RunState::finished;
    if (is_done && is_theirs_done) {
        return has_same_figures(theirs, *ours) ? MergeChoice::same : MergeChoice::differs;
    }
    if (is_done != is_theirs_done) return is_done ? MergeChoice::keep : MergeChoice::take;
    if (theirs.epochs.size() <= ours->epochs.size()) return MergeChoice::keep;
    return ends_a_training(theirs, *ours) ? MergeChoice::failed : MergeChoice::take;
}

const char* words_for(MergeChoice choice) {
    switch (choice) {
        case MergeChoice::take:
            return "taken";
        case MergeChoice::same:
            return "here already";
        case MergeChoice::keep:
            return "kept: the one here is as far or further";
        case MergeChoice::differs:
            return "differs: both are finished, with other figures; the one here is kept";
        case MergeChoice::other_data:
            return "differs: it was trained on another data set; the one here is kept as it is";
        case MergeChoice::failed:
            return "kept: the one there has failed";
        case MergeChoice::lacking:
            return "kept: the one there is further, but lacks files that it needs; `lockstep fsck "
                   "--repair` there may mend it";
        case MergeChoice::busy:
            return "left out: it is being trained";
        case MergeChoice::waits:
            return "left out: rows of it wait beside its database; `lockstep fsck --repair` there "
                   "takes them in";
        case MergeChoice::stuck:
            return "taken, but it cannot go on: it has no checkpoint that is whole; --fresh begins "
                   "it anew";
    }
    return "";
}

bool is_enough(const RunDetails& run, const std::vector<ArtifactRow>& whole) {
    const auto has = [&](std::string_view kind) {
        return std::ranges::find(whole, kind, &ArtifactRow::kind) != whole.end();
    };
    if (run.run.state == RunState::failed) return true;
    if (run.run.state == RunState::finished)
        return has(storage::kFinalArtifact) && has(storage::kPredictionsArtifact);
    const bool is_begun = !run.epochs.empty() || std::ranges::any_of(run.artifacts, is_checkpoint);
    return !is_begun || std::ranges::any_of(whole, is_checkpoint);
}

}  // namespace lockstep::pipeline
