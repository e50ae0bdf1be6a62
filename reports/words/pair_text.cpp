#include "reports/words/pair_text.hpp"

#include <fmt/format.h>

namespace lockstep::reports {

namespace {

std::string plain_verdict(const PairComparison& pair) {
    const char* words = pair.is_over_seeds ? " is better" : " is better, in these trainings";
    switch (pair.verdict) {
        case Verdict::first_is_better:
            return pair.first + words;
        case Verdict::second_is_better:
            return pair.second + words;
        case Verdict::tie:
            return fmt::format("equal with each of {} seeds", pair.over_seeds->difference.count);
        case Verdict::not_distinguishable:
            return "not distinguishable";
        case Verdict::not_comparable:
            break;
    }
    return "not comparable: " + pair.reason;
}

}  // namespace

std::string selected_text(const PairComparison& pair) {
    if (pair.is_first_selected && pair.is_second_selected) return "both";
    if (pair.is_first_selected) return pair.first;
    return pair.is_second_selected ? pair.second : "";
}

std::string verdict_text(const PairComparison& pair) {
    const std::string selected = selected_text(pair);
    if (selected.empty() || pair.verdict == Verdict::not_comparable) return plain_verdict(pair);
    return fmt::format("{}; {} selected on the test set, so this flatters {}", plain_verdict(pair),
                       selected == "both" ? "both were" : selected + " was",
                       selected == "both" ? "both" : "it");
}

std::string_view interval_word(const Measured& measured) {
    switch (measured.kind) {
        case IntervalKind::over_seeds:
            return "over_seeds";
        case IntervalKind::of_one_run:
            return "of_one_run";
        case IntervalKind::none:
            break;
    }
    return "none";
}

std::string coverage_text(const PrintedComparison& printed) {
    const Measured& ours = printed.ours;
    if (ours.estimate.count == 0) return "no figure of ours yet";
    if (!printed.is_covered) return "no interval of ours: " + ours.why_none;
    const std::string interval =
        ours.kind == IntervalKind::over_seeds
            ? fmt::format("our interval over {} seeds", ours.estimate.count)
            : "our interval of one run";
    if (*printed.is_covered) return "covered by " + interval;
    return (printed.printed.value > ours.interval->high ? "above " : "below ") + interval;
}

std::string test_text(const PairComparison& pair) {
    if (!pair.p_value) return {};
    if (pair.pooled) return "t, noise of all seeds";
    return pair.is_over_seeds ? fmt::format("paired t, {} seeds", pair.over_seeds->difference.count)
                              : "McNemar, one run each";
}

}  // namespace lockstep::reports
