#include "reports/page/html_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/charts/network_drawing.hpp"
#include "reports/charts/report_charts.hpp"
#include "reports/figures/chance_level.hpp"
#include "reports/figures/network_graph.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_predictions.hpp"
#include "reports/page/html_record.hpp"
#include "reports/page/png_image.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kEpochRows = 50;

std::string seconds_text(double seconds) { return html_text(duration_text(seconds)); }

std::string epochs_text(const RunFigures& run) {
    const std::size_t epochs = run.epochs.size();
    return static_cast<int>(epochs) == run.run.epochs
               ? fmt::format("{}", epochs)
               : fmt::format("{} of {} planned", epochs, run.run.epochs);
}

std::string best_epoch_text(const RunFigures& run) {
    if (!run.best_epoch) return kNoFigure;
    const char* by = run.val_accuracy.best ? "val_accuracy" : "accuracy";
    return fmt::format("{}, by {}", *run.best_epoch, by);
}

// Of the first and the last epoch, where it changes.
std::string learning_rate_text(const RunFigures& run) {
    if (!run.has_epochs()) return kNoFigure;
    const double first = run.epochs.front().learning_rate;
    const double last = run.epochs.back().learning_rate;
    return first == last ? fmt::format("{:.3g}", last)
                         : fmt::format("{:.3g} to {:.3g}", first, last);
}

std::string figures(const RunFigures& run) {
    const storage::RunRow& row = run.run;
    std::vector<HtmlFact> facts{
        {"test accuracy", figure_text(run.test_accuracy)},
        {"guessing gives", figure_text(chance_level(run.test_set))},
        {"its 95 % interval", run.test_interval ? interval_text(*run.test_interval) : kNoFigure},
        {"test loss", figure_text(run.test_loss)},
        {"best val. accuracy", figure_text(run.val_accuracy.best)},
        {"best epoch", best_epoch_text(run)},
        {"tested weights of epoch",
         run.weights_epoch ? fmt::format("{}", *run.weights_epoch) : kNoFigure},
        {"epochs", epochs_text(run)},
        {"seed", fmt::format("{}", row.seed)},
        {"parameters", thousands(row.parameters)},
        {"FLOPs of one image", thousands(row.flops_per_image)},
        {"optimizer", html_text(row.optimizer)},
        {"batch size", fmt::format("{}", row.batch_size)},
        {"data set", html_text(row.dataset)},
        {"learning rate", learning_rate_text(run)},
        {"SHA-256 of the data",
         row.data_digest.empty() ? kNoFigure : html_text(row.data_digest.substr(0, 12))},
        {"training samples", thousands(row.training_samples)},
        {"validation samples", thousands(row.validation_samples)},
        {"test samples", thousands(row.test_samples)},
        {"time of all epochs", run.has_epochs() ? seconds_text(run.seconds) : kNoFigure},
        {"images per second",
         run.has_epochs() ? rate_text(run.images_per_second, run.stopped_seconds) : kNoFigure},
        {"ranks, exchange", fmt::format("{}, {}", run.ranks, html_text(row.exchange))}};
    if (run.test_top_5_accuracy)
        facts.insert(facts.begin() + 1,
                     {"test top-5 accuracy", figure_text(run.test_top_5_accuracy)});
    if (!run.test_views.empty())
        facts.insert(facts.begin() + 1, {"views of each test image", html_text(run.test_views)});
    return html_facts(facts);
}

std::string epochs_table(const RunFigures& run) {
    HtmlTable table("Epochs");
    table.text_column("epoch");
    for (const char* title :
         {"loss", "accuracy", "val_loss", "val_accuracy", "learning rate", "seconds", "images/s"}) {
        table.number_column(title);
    }
    const std::size_t stride =
        std::max<std::size_t>(1, (run.epochs.size() + kEpochRows - 1) / kEpochRows);
    for (std::size_t i = 0; i < run.epochs.size(); i += stride) {
        const EpochFigures& epoch = run.epochs[i];
        table.row(fmt::format("{}", epoch.epoch))
            .number(figure_text(epoch.loss))
            .number(figure_text(epoch.accuracy))
            .number(figure_text(epoch.val_loss))
            .number(figure_text(epoch.val_accuracy))
            .number(fmt::format("{:.3g}", epoch.learning_rate))
            .number(fmt::format("{:.3g}", epoch.epoch_seconds))
            .number(fmt::format("{:.0f}{}", epoch.images_per_second,
                                epoch.stopped_seconds > 0 ? " (disturbed)" : ""));
    }
    const std::string title = stride == 1 ? "Epochs: the values"
                                          : fmt::format("Epochs: every {} of {}",
                                                        ordinal_text(stride), run.epochs.size());
    return html_details(title, table.markup());
}

std::string steps_note(const DetailedRun& detailed) {
    if (detailed.steps.empty()) return {};
    const std::int64_t length = detailed.steps.front().steps;
    return html_note(
        length == 1 ? "Losses of steps are of one batch each, before its update."
                    : fmt::format("Losses of steps: each point is the mean of {} steps, before "
                                  "their updates; the band reaches from the lowest to the "
                                  "highest of them.",
                                  thousands(length)));
}

std::string curves(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page) {
    if (!run.has_epochs()) return "<p class=\"soft\">No epoch has been finished.</p>\n";
    return "<h4>Learning curves</h4>\n" + page.charts(run_curves(run, detailed.steps)) +
           steps_note(detailed) + epochs_table(run);
}

std::string architecture(const RunFigures& run, const DetailedRun& detailed) {
    if (detailed.summary.empty()) return {};
    const auto text = [](const std::optional<std::int64_t>& value) {
        return value ? thousands(*value) : std::string(kNoFigure);
    };
    HtmlTable table(fmt::format("Total params: {}. Trainable: {}. Non-trainable: {}.",
                                thousands(run.run.parameters),
                                thousands(run.run.trainable_parameters),
                                thousands(run.run.parameters - run.run.trainable_parameters)));
    table.text_column("Layer (type)")
        .text_column("Output Shape")
        .number_column("Param #")
        .number_column("FLOPs");
    for (const SummaryLine& line : detailed.summary) {
        table
            .row(fmt::format("{} <span class=\"soft\">({})</span>", html_text(line.layer),
                             html_text(line.class_name)))
            .text(line.output_shape)
            .number(text(line.parameters))
            .number(text(line.flops));
    }
    return "<h4>Architecture</h4>\n" + table.markup();
}

// Of a network that is no chain.
std::string connections(const RunFigures& run) {
    const std::string drawing =
        network_drawing(network_graph(run.config), "The layers of " + run.run.name);
    if (drawing.empty()) return {};
    return "<h4>Connections</h4>\n" + drawing;
}

struct Share {
    const char* name;
    double seconds;
    int color;
};

std::string shares_bar(std::span<const Share> shares, double total, const std::string& spoken) {
    std::string bar = fmt::format(
        "<svg class=\"bar\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" role=\"img\" "
        "aria-label=\"{}\">",
        html_text(spoken));
    double at = 0.0;
    for (const Share& share : shares) {
        const double width = 100.0 * share.seconds / total;
        bar += fmt::format("<path class=\"share s{}\" d=\"M{:.3f} 0h{:.3f}v4h-{:.3f}z\"/>",
                           share.color, at, width, width);
        at += width;
    }
    return bar + "</svg>\n";
}

std::string time_shares(const RunFigures& run) {
    const double total = run.time.total();
    if (!(total > 0.0)) return {};
    const std::array<Share, 4> shares{{{"compute", run.time.compute, 0},
                                       {"exchange", run.time.exchange, 1},
                                       {"data", run.time.data, 2},
                                       {"evaluation and writing", run.time.evaluation, 7}}};
    std::string items;
    std::string spoken = "Where the time went:";
    for (const Share& share : shares) {
        const std::string percent = fmt::format("{:.1f} %", 100.0 * share.seconds / total);
        items += fmt::format(
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><path class=\"share s{}\" "
            "d=\"M0 0h10v10h-10z\"/></svg>{} {} ({})</li>",
            share.color, share.name, duration_text(share.seconds), percent);
        spoken += fmt::format(" {} {},", share.name, percent);
    }
    spoken.back() = '.';
    return "<h4>Where the time went</h4>\n" + shares_bar(shares, total, spoken) +
           "<ul class=\"legend\">" + items + "</ul>\n" +
           html_note("Of all epochs, on rank 0; exchange includes waiting for other ranks.");
}

std::string filters(const DetailedRun& detailed) {
    if (!detailed.filters) return {};
    const std::string picture = filters_picture(*detailed.filters);
    if (picture.empty()) return {};
    return fmt::format(
        "<h4>First-layer filters</h4>\n{}<p class=\"note\">{}, each filter stretched from its "
        "least to its greatest weight.</p>\n",
        picture, html_text(detailed.filters->layer));
}

std::string augmentation(const DetailedRun& detailed) {
    const storage::Picture& picture = detailed.augmentation;
    if (!detailed.augmentation_of.empty())
        return html_note("Augmentation: as in " + detailed.augmentation_of + ", shown there.");
    if (picture.pixels.empty()) return {};
    return fmt::format(
        "<h4>Augmentation</h4>\n<img class=\"pixels\" src=\"{}\" width=\"{}\" height=\"{}\" "
        "alt=\"Training images, and what augmentation makes of them\">\n<p class=\"note\">A row an "
        "image: as it is, then as each of the first epochs sees it.</p>\n",
        png_data_uri(picture.pixels, picture.width, picture.height, PngPixels::rgb),
        2 * picture.width, 2 * picture.height);
}

std::string words_on(const storage::RunRow& run) {
    std::string words = html_text(run.title);
    const auto add = [&](const std::string& more) { words += (words.empty() ? "" : " ") + more; };
    if (!run.source.empty()) add("Source: " + html_text(run.source) + ".");
    if (!run.parent_run.empty()) add("Goes on from " + html_text(run.parent_run) + ".");
    return words;
}

std::string heading(const RunFigures& run) {
    std::string badges = html_state(run.run.state);
    if (run.run.selected_on_test_set) {
        badges += ' ' + html_badge("selected on the test set", Tone::warning);
    }
    for (const std::string& tag : run.tags) badges += ' ' + html_badge(tag, Tone::plain);
    if (is_at_chance(run)) badges += ' ' + html_badge("no better than guessing", Tone::warning);
    if (run.run.dataset == kSynthetic) badges += ' ' + html_badge("synthetic images", Tone::plain);
    std::string text = fmt::format("<h3>{} {}</h3>\n", html_text(run.run.name), badges);
    const std::string words = words_on(run.run);
    if (!words.empty()) text += "<p class=\"soft\">" + words + "</p>\n";
    if (!run.run.notes.empty()) text += "<p>" + html_text(run.run.notes) + "</p>\n";
    const bool has_cause = !run.attempts.empty() && !run.attempts.back().cause.empty();
    const bool is_in_doubt = run.test_loss && !std::isfinite(*run.test_loss);
    if ((!run.is_finished() || is_in_doubt) && has_cause) {
        text += "<p class=\"box\">" + html_text(run.attempts.back().cause) + "</p>\n";
    }
    return text;
}

std::string problems(const DetailedRun& detailed) {
    std::string text;
    for (const std::string& problem : detailed.problems) {
        text += "<p class=\"box\">" + html_text(problem) + "</p>\n";
    }
    return text;
}

}  // namespace

std::string html_run(const RunFigures& run, const DetailedRun& detailed, Details predictions,
                     HtmlPage& page) {
    std::string confusion;
    std::string answers;
    if (detailed.predictions) {
        confusion = html_confusion(run, detailed, page);
        answers = html_answers(detailed, page);
    }
    return fmt::format("<section id=\"{}\" aria-label=\"{}\">\n", anchor_of(run.run.run),
                       html_text("Run " + run.run.name)) +
           heading(run) + problems(detailed) + figures(run) + curves(run, detailed, page) +
           time_shares(run) +
           html_details("Confusion, classes and calibration", confusion, predictions) +
           html_details("Predictions and mistakes", answers, predictions) +
           html_details("Architecture, augmentation and filters",
                        architecture(run, detailed) + connections(run) + augmentation(detailed) +
                            filters(detailed)) +
           html_record(run) + "</section>\n";
}

}  // namespace lockstep::reports
