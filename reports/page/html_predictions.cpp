#include "reports/page/html_predictions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/charts/report_charts.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/line_breaks.hpp"
#include "reports/tables/class_tables.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kClassRows = 100;
constexpr std::size_t kConfusionRows = 30;
constexpr std::size_t kNarrowClasses = 10;  // a larger matrix does not fit a telephone

const std::string& class_of(const PredictionFigures& figures, int label) {
    return figures.class_names[static_cast<std::size_t>(label)];
}

// A shade by the share of the row: h1 (some) to h6 (most); by its root, or all but the diagonal
// would look alike.
std::string shade(std::int64_t count, std::int64_t samples) {
    if (count == 0 || samples == 0) return "zero";
    const double share = static_cast<double>(count) / static_cast<double>(samples);
    return fmt::format("h{}",
                       std::clamp(static_cast<int>(std::ceil(std::sqrt(share) * 6.0)), 1, 6));
}

// The head of a column is narrow: a long name is cut there, and whole in its row.
std::string short_name(const std::string& name) {
    constexpr std::size_t kLongest = 14;  // letters
    const auto is_first_byte = [](char byte) { return (byte & 0xc0) != 0x80; };
    if (std::ranges::count_if(name, is_first_byte) <= static_cast<std::ptrdiff_t>(kLongest)) {
        return html_text(name);
    }
    std::size_t end = 0;
    for (std::size_t letters = 0; end < name.size(); ++end) {
        if (is_first_byte(name[end]) && letters++ == kLongest - 1) break;
    }
    return fmt::format("<abbr title=\"{}\">{}…</abbr>", html_text(name),
                       html_text(name.substr(0, end)));
}

std::string html_confusion_matrix(const PredictionFigures& figures) {
    const std::size_t classes = figures.class_names.size();
    std::string head = "<th scope=\"col\">class</th>";
    for (const std::string& name : figures.class_names) {
        head += fmt::format("<th scope=\"col\"><span>{}</span></th>", short_name(name));
    }
    std::string body;
    for (std::size_t label = 0; label < classes; ++label) {
        body += fmt::format("<tr><th scope=\"row\">{}</th>",
                            with_line_breaks(html_text(figures.class_names[label])));
        for (std::size_t predicted = 0; predicted < classes; ++predicted) {
            const std::int64_t count = figures.confusion[label * classes + predicted];
            body += fmt::format("<td class=\"{}\">{}</td>",
                                shade(count, figures.classes[label].samples), count);
        }
        body += "</tr>\n";
    }
    return fmt::format(
        "<table class=\"heat{}\"><caption>Rows are the classes of the images, columns what was "
        "predicted</caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>\n",
        classes > kNarrowClasses ? " large" : "", head, body);
}

std::string html_frequent_confusions(const PredictionFigures& figures) {
    HtmlTable table(
        fmt::format("The most frequent confusions of {} classes", figures.class_names.size()));
    table.text_column("class").text_column("predicted").number_column("images");
    for (const auto& row : confusions_table(figures, kConfusionRows).rows) {
        table.row(html_text(std::get<std::string>(row[0])))
            .text(std::get<std::string>(row[1]))
            .number(thousands(std::get<std::int64_t>(row[2])));
    }
    return table.markup();
}

// The matrix as far as there is room for it.
std::string confusions(const PredictionFigures& figures) {
    const std::size_t classes = figures.class_names.size();
    if (classes > kConfusionClasses) return html_frequent_confusions(figures);
    if (classes <= kNarrowClasses) return html_confusion_matrix(figures);
    return "<div class=\"whole\">" + html_confusion_matrix(figures) + "<div class=\"narrow\">" +
           html_frequent_confusions(figures) + "</div></div>";
}

std::string html_classes(const PredictionFigures& figures) {
    HtmlTable table("By class");
    table.text_column("class")
        .number_column("images")
        .number_column("precision")
        .number_column("recall")
        .number_column("F1");
    for (std::size_t i = 0; i < std::min(figures.classes.size(), kClassRows); ++i) {
        const ClassFigures& each = figures.classes[i];
        table.row(html_text(each.name))
            .number(thousands(each.samples))
            .number(figure_text(each.precision))
            .number(figure_text(each.recall))
            .number(figure_text(each.f1));
    }
    return table.markup();
}

std::string calibration(const RunFigures& run, const PredictionFigures& figures, HtmlPage& page) {
    HtmlTable table(fmt::format("Expected calibration error: {}",
                                figure_text(figures.expected_calibration_error)));
    table.text_column("confidence")
        .number_column("images")
        .number_column("mean confidence")
        .number_column("accuracy");
    for (const CalibrationBin& bin : figures.bins) {
        if (bin.samples == 0) continue;
        table.row(fmt::format("{:.2f} to {:.2f}", bin.low, bin.high))
            .number(thousands(bin.samples))
            .number(figure_text(bin.confidence))
            .number(figure_text(bin.accuracy));
    }
    if (!table.has_rows()) return {};
    return "<h4>Calibration</h4>\n<div class=\"pair\">" +
           page.charts({reliability_diagram(run, figures)}) + table.markup() + "</div>\n";
}

std::string caption_of(const PredictionFigures& figures, const ShownPrediction& one) {
    const bool is_right = one.label == one.predicted;
    const std::string predicted = html_text(class_of(figures, one.predicted));
    const std::string percent = std::isfinite(one.confidence)
                                    ? fmt::format("{:.0f} %", 100.0 * one.confidence)
                                    : std::string("NaN");
    if (is_right) {
        return fmt::format("<span class=\"good\">✓ {}</span> <span class=\"soft\">{}</span>",
                           predicted, percent);
    }
    return fmt::format("<span class=\"bad\">✗ {}</span> <span class=\"soft\">{}, is {}</span>",
                       predicted, percent, html_text(class_of(figures, one.label)));
}

std::string tiles(const DetailedRun& detailed, const std::vector<ShownPrediction>& shown,
                  HtmlPage& page) {
    const PredictionFigures& figures = *detailed.predictions;
    std::string items;
    for (const ShownPrediction& one : shown) {
        const std::string picture =
            one.image ? page.picture(detailed.sheet, *one.image, class_of(figures, one.label)) : "";
        items += fmt::format("<li>{}{}</li>", picture, caption_of(figures, one));
    }
    return "<ul class=\"tiles\">" + items + "</ul>\n";
}

std::string mistakes(const DetailedRun& detailed, HtmlPage& page) {
    const std::vector<ShownPrediction>& all = detailed.predictions->mistakes;
    if (all.empty()) return {};
    const bool has_images =
        std::ranges::any_of(all, [](const ShownPrediction& one) { return one.image.has_value(); });
    std::string note;
    if (!has_images) note = "<p class=\"note\">Their images were not stored with this run.</p>\n";
    std::string markup = "<h4>Most confident mistakes</h4>\n" + note;
    if (has_images) return markup + tiles(detailed, all, page);
    HtmlTable table("Most confident mistakes");
    table.text_column("test image")
        .text_column("class")
        .text_column("predicted")
        .number_column("confidence");
    for (const ShownPrediction& one : all) {
        table.row(fmt::format("{}", one.sample))
            .text(class_of(*detailed.predictions, one.label))
            .text(class_of(*detailed.predictions, one.predicted))
            .number(figure_text(one.confidence));
    }
    return markup + table.markup();
}

}  // namespace

std::string html_confusion(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page) {
    const PredictionFigures& figures = *detailed.predictions;
    std::string markup = "<h4>Confusion</h4>\n<div class=\"pair\">" + confusions(figures) +
                         html_classes(figures) + "</div>\n";
    if (figures.not_finite > 0) {
        markup += fmt::format("<p class=\"box\">{} predictions are no numbers (NaN).</p>\n",
                              thousands(figures.not_finite));
    }
    return markup + calibration(run, figures, page);
}

std::string html_answers(const DetailedRun& detailed, HtmlPage& page) {
    std::string markup;
    if (!detailed.predictions->first.empty()) {
        markup = "<h4>Predictions on the first test images</h4>\n" +
                 tiles(detailed, detailed.predictions->first, page);
    }
    return markup + mistakes(detailed, page);
}

}  // namespace lockstep::reports
