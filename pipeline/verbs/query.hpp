#pragma once

#include "pipeline/verbs/options.hpp"

namespace lockstep::pipeline {

// `lockstep query "SQL"`: one reading statement on the run database.
int query(const QueryOptions& options);

}  // namespace lockstep::pipeline
