#pragma once

// The `layers` of a run -> the trainer's layers and their shapes.

#include <string>
#include <vector>

#include "pipeline/settings/table_reader.hpp"
#include "trainer/config/architecture.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

// Reads the layers and gives those without a name Keras' automatic one: conv2d, conv2d_1, ... An
// absent or empty list is a problem of the run at `run_origin`.
std::vector<trainer::LayerConfig> read_layers(const Table& settings, const Origin& run_origin,
                                              ReadContext context);

struct ClassCount {
    int count = 0;
    std::string origin;  // of their names in words, where the data set tells; else ""
};

// Infers their shapes. A layer that does not fit is a problem at its line, with the table of the
// shapes before it. To be called for layers that were read without problems.
trainer::Architecture read_architecture(const Table& settings,
                                        const std::vector<trainer::LayerConfig>& layers,
                                        const trainer::Shape& input, const ClassCount& classes,
                                        ReadContext context);

}  // namespace lockstep::pipeline
