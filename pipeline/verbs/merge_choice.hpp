#pragma once

// What `lockstep merge` does with a run that another store has.

#include <optional>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::pipeline {

enum class MergeChoice {
    take,
    same,        // here already
    keep,        // the one here is as far or further
    differs,     // both are finished, with other figures
    other_data,  // trained on another data set
    failed,      // theirs has failed, the one here is under way
    lacking,     // theirs is further, but lacks files that it needs
    busy,        // one of them is being trained
    waits,       // rows of it wait beside a database
    stuck        // taken, and has no checkpoint to go on from
};

// By the rows alone: whether the files are whole is asked where it says `take` and one is here.
MergeChoice choice_of(const storage::RunDetails& theirs,
                      const std::optional<storage::RunDetails>& ours);

// What the user reads of it.
const char* words_for(MergeChoice choice);

// Whether the run is worth as much as its state says, if these of its artifacts are whole: a
// finished one needs its results, a failed one nothing, another one a checkpoint.
bool is_enough(const storage::RunDetails& run, const std::vector<storage::ArtifactRow>& whole);

}  // namespace lockstep::pipeline
