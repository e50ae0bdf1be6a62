#pragma once

// A board is a selection: what its first place owes to being the first of many. Computes; prints
// nothing.

#include <cstddef>
#include <optional>
#include <vector>

#include "reports/figures/leaderboard.hpp"
#include "reports/figures/run_figures.hpp"

namespace lockstep::reports {

// From so many architectures on one test set on, the first one's figure is told as a choice.
inline constexpr std::size_t kSelectedFrom = 3;

struct Selection {
    std::size_t first = 0;       // the entry with the best test accuracy
    std::size_t candidates = 0;  // entries with a test accuracy on its test set
    std::size_t runs = 0;        // their finished runs
    // How far above their mean the best of so many equally good ones would stand by the scatter of
    // seeds alone: expected_maximum(candidates) s / sqrt(seeds), with s^2 the variance within
    // entries, pooled, and 1 / seeds the mean over entries. None where no entry has two seeds.
    std::optional<double> expected_excess{};
    // The entry with the best mean validation accuracy of the weights that were tested. None unless
    // every candidate's runs validated on images of their own, and where several are the best: only
    // the test set would choose among them.
    std::optional<std::size_t> by_validation{};
    bool is_tied = false;              // several have the best one
    double validation_accuracy = 0.0;  // its mean
};

// Of each test set with kSelectedFrom candidates or more, in the order of `entries`.
std::vector<Selection> selections(const std::vector<RunFigures>& runs,
                                  const std::vector<ArchitectureFigures>& entries);

// The validation accuracy of the weights that were tested, or of the last epoch where that is not
// known. None where the run validates on the test set or not at all.
std::optional<double> own_val_accuracy(const RunFigures& run);

}  // namespace lockstep::reports
