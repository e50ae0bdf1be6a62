#pragma once

// The tables of one run -> the trainer's settings. Defaults are Keras' where Keras has one.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/experiment/spec_reader.hpp"
#include "pipeline/settings/table_reader.hpp"
#include "trainer/data/dataset.hpp"

namespace lockstep::pipeline {

// What paths in a file are relative to, and what ${NAME} in them means.
struct PathContext {
    std::filesystem::path folder;  // of the experiment file
    const Environment& environment;
};

struct DataSection {
    trainer::DataConfig config;
    trainer::DatasetTraits traits;
    std::vector<std::string> class_names;  // of the run, by label
};

// About how many of `samples` belong to so many of the data set's classes, taken as equally
// frequent.
std::int64_t samples_of_classes(std::int64_t samples, std::size_t classes,
                                const trainer::DatasetTraits& traits);

using SavedClasses = std::optional<std::vector<std::string>>;  // of ReadOptions

// Absent tables are read as empty ones.
DataSection read_data(const Table& settings, const PathContext& paths,
                      const SavedClasses& saved_classes, ReadContext context);
trainer::ParallelConfig read_parallel(const Table& settings, ReadContext context);
// [train] and [checkpoint]; `data` tells whether there are val_ figures to watch, and the classes.
trainer::TrainConfig read_train(const Table& settings, const DataSection& data,
                                const PathContext& paths, ReadContext context);

// The text of a path: ${NAME} replaced, made absolute. `origin` decides what it is relative to.
std::filesystem::path resolved_path(const std::string& text, const Origin& origin,
                                    const PathContext& paths, Problems& problems);

// The table at `key`, an empty one if the key is absent or (a problem) no table.
const Table& table_at(const Table& settings, std::string_view key, ReadContext context);

}  // namespace lockstep::pipeline
