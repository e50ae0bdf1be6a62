#pragma once

// Where a store lies or will lie: can it be written, is there room, do locks work, is the clock
// sane?

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/doctor/diagnosis.hpp"
#include "pipeline/planning/plan.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/file_system.hpp"

namespace lockstep::pipeline {

// The folder, or the nearest one above it that exists.
std::filesystem::path existing_folder(const std::filesystem::path& store);

// Bytes that the files of all planned runs come to: checkpoints with an optimizer's slots and the
// best weights, weights, predictions. An upper estimate.
std::int64_t planned_bytes(const Plan& plan);

// ---- each a pure function ----------------------------------------------------------------------

Diagnosis check_file_system(std::optional<std::int64_t> type);
// What a run says of a network's; "" of others.
std::string file_system_warning(std::optional<std::int64_t> type);
Diagnosis check_locks(storage::LockSupport support);
//   quota   what is left of the user's; nothing: none is known
Diagnosis check_space(std::optional<std::int64_t> free, std::optional<std::int64_t> quota,
                      std::int64_t wanted);
// Both in seconds since 1970; `newest` of the store's rows.
Diagnosis check_clock(double now, std::optional<double> newest);
Diagnosis check_writable(const std::filesystem::path& folder);

// The newest moment that the store's rows tell of.
std::optional<double> newest_row(const storage::RunDatabase& database);

// Whether the data are those that the store's runs of this experiment were trained on. Reads them.
Diagnosis check_data(const Plan& plan, const storage::RunDatabase& database);

}  // namespace lockstep::pipeline
