#pragma once

// From the text of an experiment file to an ExperimentSpec (experiments/README.md has every key).

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/experiment/spec.hpp"

namespace lockstep::pipeline {

// The value of an environment variable, nothing if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

struct ReadOptions {
    // What `--set` was given, in order: "train.epochs=2", "run.vgg-bn.train.batch_size=64",
    // "data.path=/data/cifar10". Values are TOML; a bare word is taken as text.
    std::vector<std::string> overrides;
    Environment environment = process_environment;
    // Set for a network that was trained already: its classes are those the file lists, or else
    // these, by label. The data's folder is then looked at only where neither tells them.
    std::optional<std::vector<std::string>> saved_classes{};
};

// Reads an experiment file.
//   text   the file's bytes
//   path   the file as the user named it: stands in messages, and relative paths in the file are
//          relative to its folder (those of `--set` and the default one to the current folder)
// Reads no other file, except to digest `initial_weights`, and the class names and lengths of data
// files.
// Throws
//   SpecError   with every problem of the file and of the overrides
ExperimentSpec read_spec(std::string_view text, const std::filesystem::path& path,
                         const ReadOptions& options = {});

// The keys of one kind of table, under its heading in experiments/README.md.
struct KnownKeys {
    std::string table;  // "[train]", "optimizer sgd", "layer conv2d"
    std::vector<std::string> keys;
};
// Every key that read_spec() knows.
std::vector<KnownKeys> known_keys();

}  // namespace lockstep::pipeline
