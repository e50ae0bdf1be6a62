#include "reports/words/pair_text.hpp"

#include <fmt/format.h>

namespace lockstep::reports {

namespace {

std::string one_seed_text(const PairComparison& pair) {
    if (pair.first_seeds == pair.second_seeds) return "not tested: one seed each";
    return fmt::format("not tested: {} has one seed",
                       pair.first_seeds == 1 ? pair.first : pair.second);
}

std::string plain_verdict(const PairComparison& pair) {
    switch (pair.verdict) {
        case Verdict::first_is_better:
            return pair.first + " is better";
        case Verdict::second_is_better:
            return pair.second + " is better";
        case Verdict::tie:
            return fmt::format("equal with each of {} seeds", pair.first_seeds);
        case Verdict::not_distinguishable:
            return "not distinguishable";
        case Verdict::one_seed:
            return one_seed_text(pair);
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
    if (pair.test) return "Welch, over seeds";
    return pair.on_images ? "McNemar, one run each" : "";
}

std::optional<double> p_value(const PairComparison& pair) {
    if (pair.test) return pair.test->welch.p_value;
    if (pair.on_images) return pair.on_images->p_value;
    return std::nullopt;
}

std::optional<double> adjusted_p_value(const PairComparison& pair) {
    if (pair.test) return pair.test->adjusted_p_value;
    return std::nullopt;
}

}  // namespace lockstep::reports
