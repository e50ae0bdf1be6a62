#pragma once

// The network a user means by a run of the store or by a weights file: what `evaluate`, `predict`
// and `export` start from.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/planning/plan.hpp"
#include "pipeline/store/store_reading.hpp"
#include "storage/weights/weights_file.hpp"
#include "trainer/parameters/named_tensor.hpp"

namespace lockstep::pipeline {

// Saved weights and their network: the same for every verb that takes them.
struct SavedNetworkOptions {
    std::filesystem::path store = kDefaultStore;
    std::string subject;         // a run of the store, or a weights file
    std::string weights;         // of a run: "final" (as ""), "best", or a weights file
    std::filesystem::path file;  // the experiment file, where the subject is a bare weights file
    std::string run;             // its run, where the file has several
    std::vector<std::string> settings;
    std::optional<std::filesystem::path> data;
};

struct SavedNetwork {
    std::filesystem::path path;        // of the weights file
    PlannedRun planned;                // the run it is of: layers, classes, data
    storage::ModelFile file;           // as it was read, without its weights
    trainer::NamedTensors weights;     // checked against the network, under its names
    std::vector<std::string> notes{};  // to tell the user, one line each
};

// A subject is the path of a .h5 file, or else a run (its id, the beginning of its id, or its
// name), of which the final weights are taken, the best ones, or those of any file. A file's
// network is that of `options.file`, or of the effective.toml beside it. Data files are looked at
// only where neither that file nor the weights tell the classes. Throws
//   UsageError             if the network of a file is not told, or the run name is ambiguous
//   Failure (66)           if the store has no such run, or it has no such weights
//   SpecError              if the experiment file is wrong
//   StorageError           if a file is missing or damaged
//   trainer::WeightsError  if the weights are of another network, or not finite
SavedNetwork read_saved_network(const SavedNetworkOptions& options);

}  // namespace lockstep::pipeline
