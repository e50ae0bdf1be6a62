#include "reports/page/html_report.hpp"

#include <fmt/format.h>

#include "reports/page/base64.hpp"
#include "reports/page/html_elements.hpp"
#include "reports/page/html_leaderboard.hpp"
#include "reports/page/html_overview.hpp"
#include "reports/page/html_page.hpp"
#include "reports/page/html_run.hpp"
#include "reports/page/html_settings.hpp"
#include "reports/page/html_verdict.hpp"
#include "reports/page/report_assets.hpp"
#include "reports/tables/sweep_table.hpp"
#include "reports/words/entry_labels.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"
#include "reports/words/scope_text.hpp"

namespace lockstep::reports {
namespace {

bool has_chart_script() { return !chart_script().empty(); }

std::string policy() {
    std::string scripts = "script-src " + csp_hash(table_script());
    if (has_chart_script())
        scripts += ' ' + csp_hash(chart_script()) + ' ' + csp_hash(page_script());
    return "default-src 'none'; " + scripts + "; style-src " + csp_hash(page_style()) +
           "; img-src data:; base-uri 'none'; form-action 'none'";
}

std::string head(const ExperimentReport& report) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" "
        "content=\"no-referrer\">\n<title>{}</title>\n<style>{}</style>\n</head>\n",
        policy(), html_text(title_text(report)), page_style());
}

// A section and the link to it in the contents.
struct Section {
    const char* anchor;
    const char* title;
    std::string html;
};

std::string contents(const std::vector<Section>& sections) {
    std::string items;
    for (const Section& section : sections) {
        if (section.html.empty()) continue;
        items += fmt::format("<li><a href=\"#{}\">{}</a></li>", section.anchor, section.title);
    }
    return "<nav aria-label=\"Contents\"><ul>" + items + "</ul></nav>\n";
}

// Of more runs than these only the first few stand open, and are printed.
constexpr std::size_t kAllOpen = 8;
constexpr std::size_t kFewOpen = 4;

std::string folded(const RunFigures& run, const std::string& section) {
    return html_details(
        fmt::format("{}: {}, test accuracy {}", run.run.name, storage::to_string(run.run.state),
                    figure_text(run.test_accuracy)),
        section);
}

std::string runs(const ExperimentReport& report, HtmlPage& page) {
    if (report.detailed.empty()) return {};
    const Details predictions = report.detailed.size() == 1 ? Details::open : Details::closed;
    std::string links;
    std::string sections;
    for (const DetailedRun& detailed : report.detailed) {
        const RunFigures& run = report.runs[detailed.run];
        links += fmt::format("<li><a href=\"#{}\">{}</a></li>", anchor_of(run.run.run),
                             html_text(run.run.name));
        const std::string section = html_run(run, detailed, predictions, page);
        const auto place = static_cast<std::size_t>(&detailed - report.detailed.data());
        const bool is_open = report.detailed.size() <= kAllOpen || place < kFewOpen;
        sections += is_open ? section : folded(run, section);
    }
    std::string note;
    if (report.detailed.size() < report.runs.size()) {
        note = fmt::format(
            "<p class=\"note\">The first {} of {} runs, in the order of the "
            "leaderboard; report.csv has every run.</p>\n",
            report.detailed.size(), report.runs.size());
    }
    return "<h2 id=\"runs\">Runs</h2>\n" + note + "<nav aria-label=\"Runs\"><ul>" + links +
           "</ul></nav>\n" + sections;
}

// Where many architectures are told by their settings, these come first.
Details training_of(const ExperimentReport& report, const Sweep& sweep) {
    constexpr std::size_t kFew = 3;
    constexpr std::size_t kMany = 5;
    const bool is_folded =
        report.entries.size() > (tells_effects(sweep) ? kFew : kMany) && !sweep.settings.empty();
    return is_folded ? Details::closed : Details::open;
}

std::string header(const ExperimentReport& report, const Sweep& sweep) {
    return fmt::format(
        "<header>\n<h1>{}</h1>\n<p class=\"soft\">{} Written <span class=\"unbroken\">{}</span> by "
        "Lockstep {}.</p>\n{}</header>\n",
        html_text(title_text(report)), html_text(scope_text(report)), html_text(report.written_utc),
        html_text(report.lockstep_version), html_verdict(report, sweep) + html_glance(report));
}

std::string footer(const ExperimentReport& report) {
    std::string text = "<footer>\n<p>";
    for (const storage::ExperimentRow& row : experiments_of(report)) {
        text += fmt::format("Experiment file {}, SHA-256 <code>{}</code>. ", html_text(row.file),
                            html_text(row.file_digest));
    }
    text += "Every figure comes from the run database; intervals are at 95 %.</p>\n";
    if (has_chart_script()) {
        std::string license = html_lines(chart_license());
        text += "<p>“Explore” uses Chart.js, under the MIT licence.</p>\n" +
                html_details("Chart.js: licence", "<pre>" + license + "</pre>");
    }
    return text + "</footer>\n";
}

std::string scripts(const HtmlPage& page) {
    std::string sorting = "<script>" + std::string(table_script()) + "</script>\n";
    if (!has_chart_script()) return sorting;
    return sorting + "<script type=\"application/json\" id=\"report-data\">" +
           script_json(plots_json(page.plots())) + "</script>\n<script>" +
           std::string(chart_script()) + "</script>\n<script>" + std::string(page_script()) +
           "</script>\n";
}

}  // namespace

std::string html_report(const ExperimentReport& report) {
    HtmlPage page;
    const Sweep sweep = report_sweep(report);
    const EntryLabels labels = entry_labels(report, sweep);
    const std::vector<Section> sections{
        {"leaderboard", "Leaderboard", html_leaderboard(report, sweep, training_of(report, sweep))},
        {"settings", "Settings", html_settings(report, sweep)},
        {"pairs", "Which differences are real?", html_pairs(report)},
        {"curves", "Learning curves", html_curves(report, labels, page)},
        {"time", "Time to accuracy", html_time_to_accuracy(report, labels, page)},
        {"costs", "Accuracy against cost", html_costs(report, labels, page)},
        {"samples", "Sample images", html_samples(report, page)},
        {"runs", "Runs", runs(report, page)}};
    std::string html = head(report) +
                       "<body>\n<a class=\"skip\" href=\"#leaderboard\">Skip to the "
                       "leaderboard</a>\n" +
                       page.atlases() + header(report, sweep) + contents(sections) + "<main>\n";
    for (const Section& section : sections) html += section.html;
    return html + "</main>\n" + footer(report) + scripts(page) + "</body>\n</html>\n";
}

}  // namespace lockstep::reports
