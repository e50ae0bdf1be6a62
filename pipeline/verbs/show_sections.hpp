#pragma once

// What `show` has to say of a run, part by part.

#include <string>
#include <vector>

#include "reports/tables/table_format.hpp"
#include "reports/tables/table_text.hpp"
#include "storage/database/run_database.hpp"

namespace lockstep::pipeline {

// Every plain fact of the run, also those that are empty.
reports::Section described_section(const storage::RunDetails& details);

// How it went, and what it is: without what is empty.
//   settings   rows that follow
reports::Section summary_section(const storage::RunDetails& details,
                                 const std::vector<std::vector<storage::Cell>>& settings);

reports::Section attempts_section(const std::vector<storage::AttemptRow>& rows);
reports::Section metrics_section(const std::vector<storage::MetricRow>& rows);
reports::Section artifacts_section(const std::vector<storage::ArtifactRow>& rows);
reports::Section events_section(const std::vector<storage::EventRow>& rows);

// Every value and its origin, as effective.toml has them, each on its line whatever its length: it
// is text of a file.
std::string configuration_text(const std::string& toml, reports::TableFormat format);

// A line a figure: its name, its curve over the epochs, its first and last value.
std::string curves_text(const std::vector<storage::EpochRow>& epochs);

}  // namespace lockstep::pipeline
