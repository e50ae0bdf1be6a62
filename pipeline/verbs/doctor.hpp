#pragma once

#include <filesystem>
#include <optional>

#include "pipeline/planning/experiment_file.hpp"
#include "pipeline/ranks/launcher.hpp"
#include "pipeline/store/store_reading.hpp"
#include "reports/tables/table_format.hpp"

namespace lockstep::pipeline {

struct DoctorOptions {
    SpecOptions spec;  // without a file: the machine and the store alone
    std::filesystem::path store = kDefaultStore;
    std::optional<int> ranks;  // of the job; unset: those of mpirun, else one per core
    reports::TableFormat format = reports::TableFormat::table;
};

// `lockstep doctor [FILE]`: what would hurt a training on this machine, before it begins. Under
// mpirun the ranks are compared too. kExitUnavailable where something is a problem.
int doctor(const DoctorOptions& options, ProcessArguments arguments);

}  // namespace lockstep::pipeline
