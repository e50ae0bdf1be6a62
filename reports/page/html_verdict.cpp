#include "reports/page/html_verdict.hpp"

#include <fmt/format.h>

#include <vector>

#include "reports/figures/selection.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/verdict_text.hpp"

namespace lockstep::reports {
namespace {

std::string emphasized(const std::string& html, Emphasis emphasis) {
    switch (emphasis) {
        case Emphasis::strong:
            return "<b>" + html + "</b>";
        case Emphasis::name:
            return "<b class=\"unbroken\">" + html + "</b>";
        case Emphasis::good:
            return "<b class=\"good\">" + html + "</b>";
        case Emphasis::warning:
            return "<b class=\"warn\">" + html + "</b>";
        case Emphasis::note:
            return "<small>" + html + "</small>";
        case Emphasis::none:
            break;
    }
    return html;
}

std::string html_phrase(const Phrase& phrase) {
    const std::string text = html_text(phrase.text);
    const std::string linked =
        phrase.anchor.empty() ? text : fmt::format("<a href=\"#{}\">{}</a>", phrase.anchor, text);
    return emphasized(linked, phrase.emphasis);
}

// ---- the selection -----------------------------------------------------------------------------

std::string validation_text(const ExperimentReport& report, const Selection& selection) {
    if (selection.is_tied) {
        return fmt::format(
            "Several have the best validation accuracy, {}, so validation chooses none of them.",
            figure_text(selection.validation_accuracy));
    }
    if (!selection.by_validation) {
        return "Not all of them validated on images of their own, so no choice free of the test "
               "set can be shown; a clean figure needs <code>data.validation</code> on held-out "
               "training images, or a new test set.";
    }
    const ArchitectureFigures& chosen = report.entries[*selection.by_validation];
    const std::string accuracy = figure_text(chosen.test_accuracy.estimate.mean);
    return fmt::format(
        "Validation chooses <b>{}</b> (validation accuracy {}): its test accuracy "
        "of <b>{}</b> is a clean figure, since no test image took part in the "
        "choice.",
        html_text(chosen.name), figure_text(selection.validation_accuracy), accuracy);
}

std::string selection_item(const ExperimentReport& report, const Selection& selection) {
    const ArchitectureFigures& first = report.entries[selection.first];
    std::string text = fmt::format(
        "<p><b>{}</b> is the best of {} architectures ({} finished runs) by the test accuracy "
        "shown here, {}: chosen by it, it is likely to be too high.",
        html_text(first.name), selection.candidates, selection.runs,
        figure_text(first.test_accuracy.estimate.mean));
    if (selection.expected_excess) {
        text += fmt::format(
            " If all {} were equally good, seed noise alone would put the best "
            "{} above their mean.",
            selection.candidates, figure_text(*selection.expected_excess));
    }
    return text + ' ' + validation_text(report, selection) + "</p>";
}

}  // namespace

std::string html_verdict(const ExperimentReport& report, const Sweep& sweep) {
    std::string markup;
    for (const Sentences& sentences : verdict_sentences(report, sweep)) {
        markup += "<p>";
        for (const Phrase& phrase : sentences) markup += html_phrase(phrase);
        markup += "</p>\n";
    }
    return markup.empty() ? "" : "<div class=\"verdict\">" + markup + "</div>\n";
}

std::string html_selection(const ExperimentReport& report) {
    std::string items;
    for (const Selection& selection : selections(report.runs, report.entries)) {
        if (!is_chosen_by_validation(selection)) items += selection_item(report, selection);
    }
    if (items.empty()) return {};
    return "<div class=\"box\" id=\"selection\"><b class=\"warn\">A ranking is a selection.</b>" +
           items + "</div>\n";
}

}  // namespace lockstep::reports
