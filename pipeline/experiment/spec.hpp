#pragma once

// An experiment file as plain, checked values: what is past this door needs no second check.

#include <map>
#include <string>
#include <vector>

#include "trainer/config/architecture.hpp"
#include "trainer/config/train_config.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

// A figure the source of an architecture printed, shown beside ours: one value, or one an epoch.
struct ExpectedFigure {
    std::string
        name;  // parameters, loss, accuracy, val_loss, ..., test_accuracy, best_val_accuracy
    std::vector<double> values;  // not empty; by_epoch: those of epochs 1, 2, ...
    bool by_epoch = false;
};

// One run: a `[[run]]` of the file, or one of those a sweep or several seeds expand it to.
struct RunSpec {
    trainer::RunConfig config;  // config.name: the expanded one, "vgg-bn-batch_size32-seed2"
    std::string base_name;      // as written in the file: "vgg-bn"
    std::string design_name;    // what runs share that differ in their seed: "vgg-bn-batch_size32"
    std::string place;          // of its [[run]]: "experiments/my.toml:14:1"
    std::string title;          // free text of the user's
    std::string source;         // where the architecture comes from; free text
    std::vector<ExpectedFigure> expect;
    std::vector<std::string> class_names;  // by label
    trainer::DatasetTraits data_traits;    // of config.data
    trainer::Architecture architecture;    // inferred from config.layers
    std::string initial_weights_sha256;    // of the file's bytes; empty: none, or not readable
    std::map<std::string, std::string> origins;  // key ("train.epochs", "layers.0.filters") ->
                                                 // "tutorials.toml:12", "--set"; others: default
};

struct ExperimentSpec {
    std::string name;                // [A-Za-z0-9._-]{1,64}
    std::string title;               // free text
    std::vector<RunSpec> runs;       // not empty; in the order of the file, then sweep, then seeds
    std::vector<std::string> notes;  // what a reader of the file may not expect, a line each
};

}  // namespace lockstep::pipeline
