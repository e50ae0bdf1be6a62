#pragma once

// Every value a run uses, defaults included, and where each came from.

#include <string>
#include <vector>

#include "pipeline/experiment/spec.hpp"

namespace lockstep::pipeline {

struct EffectiveValue {
    std::string key;     // "train.optimizer.learning_rate", "layers.0.filters"
    std::string value;   // as TOML: 0.001, "adam", [3, 3]
    std::string origin;  // "default", "tutorials.toml:12", "--set", "sweep (my.toml:40)"
    // The line of the digest, empty where the value cannot change a result: titles, paths,
    // ranks_per_run, record_steps, how often checkpoints are made.
    std::string canonical;
};

struct EffectiveConfig {
    std::vector<EffectiveValue> values;  // in a fixed order
    std::string digest;                  // SHA-256, hex, over the canonical lines
};

EffectiveConfig effective_config(const RunSpec& run);

// effective.toml: an experiment file of this one run that gives the same digest, each value with
// its origin as a comment.
std::string effective_toml(const EffectiveConfig& config, const std::string& experiment_name);

// reports::settings_digest() over the canonical lines but for the seed's: the same for all seeds of
// one design.
std::string design_digest(const EffectiveConfig& config);

// Run name, '-', first eight hex digits of the digest.
std::string run_id(const RunSpec& run, const EffectiveConfig& config);

// The expected figures as JSON: {"parameters":552362,"accuracy":[0.4551,0.6272]}; "" for none.
std::string expected_json(const std::vector<ExpectedFigure>& figures);

}  // namespace lockstep::pipeline
