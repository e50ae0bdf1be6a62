#pragma once

// The section of a report's page about the settings that its runs differ in (docs/report.md).

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

inline constexpr std::size_t kSweepRows = 200;    // of the table of runs
inline constexpr std::size_t kSweepColumns = 12;  // settings in it
inline constexpr std::size_t kHeatMaps = 6;
inline constexpr std::size_t kHeatLevels = 12;  // values on a side of a heat map

// "" where runs differ in nothing but name and seed.
std::string html_settings(const ExperimentReport& report, const Sweep& sweep);

// The parts of it; "" where there is nothing to show.
std::string html_effects(const Sweep& sweep);  // which setting mattered
std::string html_next_steps(const ExperimentReport& report, const Sweep& sweep);
std::string html_setting_plots(const ExperimentReport& report, const Sweep& sweep);
std::string html_heat_maps(const Sweep& sweep);
std::string html_sweep_runs(const ExperimentReport& report, const Sweep& sweep);
std::string html_architecture_settings(const ExperimentReport& report, const Sweep& sweep);
std::string html_shared_settings(const ExperimentReport& report);  // by all runs

}  // namespace lockstep::reports
