#pragma once

// Who won, whether that is real, and what the figures are figures of: the same words on the page,
// in report.md and in the terminal.

#include <cstddef>
#include <string>
#include <vector>

#include "reports/figures/experiment_report.hpp"
#include "reports/figures/selection.hpp"
#include "reports/figures/sweep.hpp"

namespace lockstep::reports {

enum class Emphasis {
    none,
    strong,
    name,     // of an architecture
    good,     // what is real
    warning,  // what is not
    note,     // in small print
};

struct Phrase {
    std::string text;
    Emphasis emphasis = Emphasis::none;
    std::string anchor{};  // on the page: what has more on it
};
using Sentences = std::vector<Phrase>;

// A paragraph for the first of each test set, of at most three, then one on all figures, where
// there is something to say. None without runs.
std::vector<Sentences> verdict_sentences(const ExperimentReport& report, const Sweep& sweep);

// Two entries against each other, in the same words: "a is better than b: ...".
std::string pair_sentence(const ExperimentReport& report, std::size_t first, std::size_t second);

// Without emphasis.
std::string plain_text(const Sentences& sentences);

// The best one by the test set is the one that validation chooses without it.
bool is_chosen_by_validation(const Selection& selection);

}  // namespace lockstep::reports
