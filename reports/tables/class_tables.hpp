#pragma once

// What became of each class of a test set. Prints nothing, computes nothing.

#include <cstddef>
#include <optional>

#include "reports/figures/prediction_figures.hpp"
#include "storage/records/records.hpp"

namespace lockstep::reports {

// A row a class, by its label: samples, correct, recall, precision, f1, and the class that most of
// its samples are wrongly taken for. `worst`: only so many, the least recall first; equals by
// label, and classes without samples left out.
storage::Table classes_table(const PredictionFigures& figures,
                             std::optional<std::size_t> worst = std::nullopt);

// [label, predicted] as a table of counts; empty cells are zeros.
storage::Table confusion_matrix(const PredictionFigures& figures);

// A row for each class and class that it is taken for (its own, too), zeros left out. `most`: only
// so many mistakes, the most frequent first, equals in the order of labels.
storage::Table confusions_table(const PredictionFigures& figures,
                                std::optional<std::size_t> most = std::nullopt);

}  // namespace lockstep::reports
