#include "reports/page/html_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "reports/charts/report_charts.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_predictions.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kEpochRows = 200;
constexpr std::size_t kEventRows = 100;

std::string seconds_text(double seconds) { return html_text(duration_text(seconds)); }

// "2026-03-01T12:00:00.250Z" -> "2026-03-01 12:00:00"
std::string time_text(const std::string& utc) {
    std::string text = utc.substr(0, 19);
    if (text.size() > 10) text[10] = ' ';
    return html_text(text);
}

std::string epochs_text(const RunFigures& run) {
    const std::size_t epochs = run.epochs.size();
    return static_cast<int>(epochs) == run.run.epochs
               ? fmt::format("{}", epochs)
               : fmt::format("{} of {} planned", epochs, run.run.epochs);
}

std::string figures(const RunFigures& run) {
    const storage::RunRow& row = run.run;
    std::vector<HtmlFact> facts{
        {"test accuracy", figure_text(run.test_accuracy)},
        {"its 95 % interval", run.test_interval ? interval_text(*run.test_interval) : kNoFigure},
        {"test loss", figure_text(run.test_loss)},
        {"best val. accuracy", figure_text(run.val_accuracy.best)},
        {"best epoch", run.best_epoch ? fmt::format("{}", *run.best_epoch) : kNoFigure},
        {"tested weights of epoch",
         run.weights_epoch ? fmt::format("{}", *run.weights_epoch) : kNoFigure},
        {"epochs", epochs_text(run)},
        {"seed", fmt::format("{}", row.seed)},
        {"parameters", thousands(row.parameters)},
        {"FLOPs of one image", thousands(row.flops_per_image)},
        {"optimizer", html_text(row.optimizer)},
        {"batch size", fmt::format("{}", row.batch_size)},
        {"data set", html_text(row.dataset)},
        {"SHA-256 of the data",
         row.data_digest.empty() ? kNoFigure : html_text(row.data_digest.substr(0, 12))},
        {"training samples", thousands(row.training_samples)},
        {"validation samples", thousands(row.validation_samples)},
        {"test samples", thousands(row.test_samples)},
        {"time of all epochs", run.has_epochs() ? seconds_text(run.seconds) : kNoFigure},
        {"images per second",
         run.has_epochs() ? thousands(std::llround(run.images_per_second)) : kNoFigure},
        {"ranks, exchange", fmt::format("{}, {}", run.ranks, html_text(row.exchange))}};
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
            .number(fmt::format("{:.0f}", epoch.images_per_second));
    }
    const std::string title =
        stride == 1 ? "Epochs: the values"
                    : fmt::format("Epochs: every {}th of {}", stride, run.epochs.size());
    return html_details(title, table.markup());
}

std::string curves(const RunFigures& run, HtmlPage& page) {
    if (!run.has_epochs()) return "<p class=\"soft\">No epoch has been finished.</p>\n";
    return "<h4>Learning curves</h4>\n" + page.charts(run_curves(run)) + epochs_table(run);
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
    return "<div><h4>Architecture</h4>\n" + table.markup() + "</div>\n";
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
    HtmlTable table("Seconds of all epochs, on rank 0; exchange includes waiting for other ranks");
    table.text_column("part").number_column("time").number_column("share");
    std::string spoken = "Where the time went:";
    for (const Share& share : shares) {
        const std::string percent = fmt::format("{:.1f} %", 100.0 * share.seconds / total);
        table
            .row(fmt::format("<svg width=\"10\" height=\"10\" aria-hidden=\"true\"><rect "
                             "class=\"s{}\" width=\"10\" height=\"10\"/></svg> {}",
                             share.color, share.name))
            .number(duration_text(share.seconds))
            .number(percent);
        spoken += fmt::format(" {} {},", share.name, percent);
    }
    spoken.back() = '.';
    return "<div><h4>Where the time went</h4>\n" + shares_bar(shares, total, spoken) +
           table.markup() + "</div>\n";
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

std::string attempts(const RunFigures& run) {
    HtmlTable table("Attempts", HtmlTable::Width::page);
    for (const char* title : {"attempt", "outcome", "from epoch", "ranks", "host", "job",
                              "started (UTC)", "ended", "lockstep", "oneDNN", "MPI", "ISA"}) {
        table.text_column(title);
    }
    for (const storage::AttemptRow& row : run.attempts) {
        table.row(fmt::format("{}", row.attempt))
            .html(html_text(row.outcome + (row.cause.empty() ? "" : ": " + row.cause)), "wrap")
            .text(fmt::format("{}", row.first_epoch))
            .text(fmt::format("{}", row.ranks))
            .text(row.host)
            .text(row.job_id)
            .html(time_text(row.started_utc))
            .html(time_text(row.finished_utc))
            .text(row.lockstep_version)
            .text(row.onednn_version)
            .text(row.mpi_version)
            .text(row.isa);
    }
    return table.markup();
}

std::string events(const RunFigures& run) {
    HtmlTable table("Events");
    table.text_column("UTC").text_column("attempt").text_column("event").text_column("");
    const std::size_t left_out = run.events.size() - std::min(run.events.size(), kEventRows);
    for (std::size_t i = left_out; i < run.events.size(); ++i) {
        const storage::EventRow& row = run.events[i];
        table.row(time_text(row.utc))
            .text(fmt::format("{}", row.attempt))
            .text(row.kind)
            .html(html_text(row.text), "wrap");
    }
    if (run.best_epoch) {
        const bool validates = run.val_accuracy.best.has_value();
        table.row("")
            .text("")
            .text("best epoch")
            .text(
                fmt::format("{}, by {}", *run.best_epoch, validates ? "val_accuracy" : "accuracy"));
    }
    const std::string note =
        left_out == 0 ? ""
                      : fmt::format("<p class=\"note\">{} earlier events left out.</p>", left_out);
    return table.markup() + note;
}

std::string configuration(const RunFigures& run) {
    HtmlTable table("Every value, and where it came from");
    table.text_column("key").text_column("value").text_column("origin");
    for (const ConfigValue& each : run.config) {
        table.row("<code>" + html_text(each.key) + "</code>")
            .html("<code>" + html_text(each.value) + "</code>", "wrap")
            .text(each.origin);
    }
    return html_details("Full configuration", table.markup());
}

std::string files(const RunFigures& run) {
    HtmlTable table("Files in the store");
    table.text_column("kind").text_column("path").number_column("bytes").text_column("SHA-256");
    for (const storage::ArtifactRow& row : run.artifacts) {
        table.row(html_text(row.kind))
            .text(row.path)
            .number(thousands(row.bytes))
            .html("<code>" + html_text(row.sha256) + "</code>");
    }
    return html_details(
        "Files and digests",
        table.markup() +
            html_facts({{"run", html_text(run.run.run)},
                        {"configuration", "<code>" + html_text(run.run.config_digest) + "</code>"},
                        {"data", "<code>" + html_text(run.run.data_digest) + "</code>"}}));
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
    std::string text = fmt::format("<h3>{} {}</h3>\n", html_text(run.run.name), badges);
    const std::string words = words_on(run.run);
    if (!words.empty()) text += "<p class=\"soft\">" + words + "</p>\n";
    if (!run.run.notes.empty()) text += "<p>" + html_text(run.run.notes) + "</p>\n";
    const bool has_cause = !run.attempts.empty() && !run.attempts.back().cause.empty();
    if (!run.is_finished() && has_cause) {
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

std::string html_run(const RunFigures& run, const DetailedRun& detailed, HtmlPage& page) {
    return fmt::format("<section id=\"{}\" aria-label=\"{}\">\n", anchor_of(run.run.run),
                       html_text("Run " + run.run.name)) +
           heading(run) + problems(detailed) + figures(run) + curves(run, page) +
           "<div class=\"pair left\">\n" + architecture(run, detailed) + time_shares(run) +
           "</div>\n" + (detailed.predictions ? html_predictions(run, detailed, page) : "") +
           filters(detailed) + "<h4>What happened</h4>\n" + attempts(run) + events(run) +
           configuration(run) + files(run) + "</section>\n";
}

}  // namespace lockstep::reports
