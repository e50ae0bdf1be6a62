#pragma once

#include "pipeline/launcher.hpp"
#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep predict RUN_OR_WEIGHTS FILE...`: the classes of image files, the most probable first.
// Images are resized and scaled as trainer/data/image_file.hpp says and as the network was trained.
// What cannot be read is named on stderr and left out; the exit code is then 65.
int predict(const PredictOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
