#pragma once

// The sections of a report's page that set all architectures side by side.

#include <string>

#include "reports/figures/experiment_report.hpp"
#include "reports/page/html_page.hpp"
#include "reports/words/entry_labels.hpp"

namespace lockstep::reports {

std::string html_glance(const ExperimentReport& report);  // the figures of most interest
std::string html_pairs(const ExperimentReport& report);   // which differences are real
// What has to be known to read accuracies on common axes; "" where there is one test set.
std::string html_other_test_sets(const ExperimentReport& report);
std::string html_curves(const ExperimentReport& report, const EntryLabels& labels, HtmlPage& page);
std::string html_time_to_accuracy(const ExperimentReport& report, const EntryLabels& labels,
                                  HtmlPage& page);
std::string html_costs(const ExperimentReport& report, const EntryLabels& labels, HtmlPage& page);
std::string html_samples(const ExperimentReport& report, HtmlPage& page);

}  // namespace lockstep::reports
