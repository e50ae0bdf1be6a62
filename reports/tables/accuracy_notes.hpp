#pragma once

// What test accuracies beside each other do not tell by themselves: that they were measured on
// several test sets, on synthetic images, or flatter.

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "reports/figures/run_figures.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// The columns that tell it: `test_set` in words (TestSetTexts), `selected_on` as compared_runs().
inline constexpr std::array<std::string_view, 3> kAccuracyFacts{"test_accuracy", "test_set",
                                                                "selected_on"};
inline constexpr std::string_view kSelectedOnTestSet = "test set";  // in `selected_on`, or NULL

// kAccuracyFacts of runs, as a training's end knows them.
storage::Table accuracy_facts(const std::vector<RunFigures>& runs);

std::string synthetic_note(bool are_all);

// Whether the accuracies are of several test sets.
bool has_several_test_sets(const storage::Table& facts);

// What stands below a table, a line each.
//   facts     columns kAccuracyFacts of the rows shown; NULL: no such figure, not selected
//   has_marks whether the rows have the marks of with_accuracy_marks(), which are then explained;
//             else the columns are named that tell it
std::vector<std::string> accuracy_notes(const storage::Table& facts, bool has_marks);

// Marks the rows themselves.
//   facts   of the same rows
// Where accuracies are of several test sets, a letter for each, as accuracy_notes() has them, in a
// column `test_set` behind `test_accuracy`. Of one test set the table keeps its words.
storage::Table with_test_set_letters(storage::Table table, const storage::Table& facts);
// The same, and a `*` behind the first column's text where the test set chose the epoch.
storage::Table with_accuracy_marks(storage::Table table, const storage::Table& facts);

}  // namespace lockstep::reports
