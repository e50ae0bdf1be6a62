#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep export runs`, `lockstep export epochs`: every column of v_runs or v_epochs, as CSV or
// JSON, for other programs. Epochs are read run by run, so that a training that writes meanwhile
// never waits long.
int export_tables(const ExportTablesOptions& options);

}  // namespace lockstep::pipeline
