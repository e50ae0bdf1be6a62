#include "reports/words/pair_text.hpp"

#include <fmt/format.h>

namespace lockstep::reports {

std::string verdict_text(const PairComparison& pair) {
    const char* words = pair.is_over_seeds ? " is better" : " is better, in these trainings";
    switch (pair.verdict) {
        case Verdict::first_is_better:
            return pair.first + words;
        case Verdict::second_is_better:
            return pair.second + words;
        case Verdict::not_distinguishable:
            return "not distinguishable";
        case Verdict::not_comparable:
            break;
    }
    return "not comparable: " + pair.reason;
}

std::string interval_kind_text(const Measured& measured) {
    switch (measured.kind) {
        case IntervalKind::over_seeds:
            return fmt::format("95 % t interval of the mean over {} seeds",
                               measured.estimate.count);
        case IntervalKind::of_one_run:
            return "95 % Wilson interval of one run";
        case IntervalKind::none:
            break;
    }
    return {};
}

std::string coverage_text(const PrintedComparison& printed) {
    if (printed.ours.estimate.count == 0) return "no figure of ours yet";
    if (!printed.is_covered) return "no interval of ours";
    if (*printed.is_covered) return "covered by our interval";
    return printed.printed.value > printed.ours.interval->high ? "above our interval"
                                                               : "below our interval";
}

std::string test_text(const PairComparison& pair) {
    if (!pair.p_value) return {};
    return pair.is_over_seeds ? fmt::format("paired t, {} seeds", pair.over_seeds->difference.count)
                              : "McNemar, one run each";
}

}  // namespace lockstep::reports
