#pragma once

// What TensorBoard's HParams dashboard reads [1]: once for all runs which settings and which
// figures there are, and in each run's folder ("session") its settings and how it ended.
//
// [1] tensorboard/plugins/hparams/api.proto, plugin_data.proto, metadata.py

#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "storage/exports/tensorboard_file.hpp"

namespace lockstep::storage {

using HparamValue = std::variant<double, std::string>;

struct Hparam {
    std::string name;
    std::string description;          // Markdown; may be empty
    std::vector<HparamValue> values;  // all that occur, each once and all of one kind
};

enum class HparamsDataset { unknown = 0, training = 1, validation = 2 };

// A curve of which the dashboard shows the last value.
struct HparamsMetric {
    std::string group;  // the folder of its event file, in the session's
    std::string tag;
    std::string display_name;
    HparamsDataset dataset = HparamsDataset::unknown;
};

enum class HparamsStatus { unknown = 0, success = 1, failure = 2, running = 3 };

struct HparamsSession {
    std::map<std::string, HparamValue> hparams;
    std::string group;             // sessions of equal settings, over which it takes means
    double start_unix_time = 0.0;  // seconds since 1970, UTC
    HparamsStatus status = HparamsStatus::unknown;
    std::optional<double> end_unix_time{};
};

// For the folder above all sessions.
PluginEvent hparams_experiment(double unix_time, std::span<const Hparam> hparams,
                               std::span<const HparamsMetric> metrics);
// For the session's folder: how it started, and how it ended or that it runs.
std::vector<PluginEvent> hparams_session(const HparamsSession& session);

}  // namespace lockstep::storage
