#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/exporting/saved_network.hpp"
#include "pipeline/ranks/launcher.hpp"
#include "reports/tables/table_format.hpp"
#include "trainer/config/train_config.hpp"

namespace lockstep::pipeline {

struct PredictOptions {
    SavedNetworkOptions network;
    std::vector<std::string> files;           // images, and folders of images
    std::size_t top = 3;                      // classes to name, >= 1
    std::optional<trainer::TestViews> views;  // unset: those that the run was tested with
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep predict RUN_OR_WEIGHTS FILE...`: the classes of image files, the most probable first.
// Images are resized and scaled as trainer/data/image_file.hpp says and as the network was trained.
// What cannot be read is named on stderr and left out; the exit code is then 65.
int predict(const PredictOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
