#pragma once

#include <filesystem>
#include <string>

#include "pipeline/store/store_reading.hpp"

namespace lockstep::pipeline {

struct TailOptions {
    std::filesystem::path store = kDefaultStore;
    std::string run;  // id, unique beginning of an id, or name; "": everything that is trained
};

// `lockstep tail RUN`: follows a training from another terminal, or another machine that sees the
// store. Prints the finished epochs, then each new one as it ends; on a terminal also how far the
// epoch has come, and of a training that makes no progress how long ago its last step was. Ends
// with 0 when the run ends, or with Ctrl-C. Without a run it follows all that are trained, a line
// an epoch with the run's name, and ends when none is.
//
// It looks into the database and log.txt now and then, and holds no lock between two looks.
int tail(const TailOptions& options);

}  // namespace lockstep::pipeline
