#pragma once

// What `diff` prints of two sides: settings and figures as tables.

#include <string>
#include <vector>

#include "reports/figures/figure_difference.hpp"
#include "reports/figures/run_figures.hpp"
#include "reports/figures/setting_difference.hpp"
#include "storage/records/records.hpp"

namespace lockstep::pipeline {

storage::Cell text_or_none(const std::string& text);

// The settings as they are written, and the content of what they only point to.
std::vector<reports::SettingDifference> all_differences(const reports::RunFigures& first,
                                                        const reports::RunFigures& second);
storage::Table settings_table(const std::vector<reports::SettingDifference>& differences);

// Of two runs, with what seeds differ by; of two architectures, by their means.
storage::Table figures_table(const std::vector<reports::FigureDifference>& differences);
storage::Table means_table(const std::vector<reports::FigureDifference>& differences);

// The figures as people read them: each row's as a column of its name would be.
storage::Table readable_figures(storage::Table figures);

// CSV has room for one table: settings and figures below each other.
storage::Table one_table(const storage::Table& settings, const storage::Table& figures);

}  // namespace lockstep::pipeline
