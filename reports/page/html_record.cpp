#include "reports/page/html_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "reports/page/html_elements.hpp"
#include "reports/words/html_text.hpp"
#include "reports/words/number_text.hpp"

namespace lockstep::reports {
namespace {

constexpr std::size_t kEventRows = 100;

// "2026-03-01T12:00:00.250Z" -> "2026-03-01 12:00:00"
std::string time_text(const std::string& utc) {
    std::string text = utc.substr(0, 19);
    if (text.size() > 10) text[10] = ' ';
    return html_text(text);
}

std::string attempts(const RunFigures& run) {
    using Column = HtmlTable::Column;
    HtmlTable table("Attempts", HtmlTable::Width::page);
    table.text_column("attempt")
        .text_column("outcome")
        .text_column("started (UTC)")
        .text_column("ended", Column::where_filled)
        .number_column("from epoch")
        .number_column("ranks")
        .text_column("host")
        .text_column("job", Column::where_filled);
    for (const storage::AttemptRow& row : run.attempts) {
        table.row(fmt::format("{}", row.attempt))
            .text(row.outcome + (row.cause.empty() ? "" : ": " + row.cause))
            .html(time_text(row.started_utc))
            .html(time_text(row.finished_utc))
            .number(fmt::format("{}", row.first_epoch))
            .number(fmt::format("{}", row.ranks))
            .text(row.host)
            .text(row.job_id);
    }
    return table.markup();
}

// What was typed, and over which files: pipeline/recording/provenance.hpp.
constexpr std::string_view kCommandEvent = "command";
constexpr std::string_view kSourceEvent = "source";

bool is_provenance(const storage::EventRow& row) {
    return row.kind == kCommandEvent || row.kind == kSourceEvent;
}

// The latest, "" where none was recorded.
std::string provenance(const RunFigures& run, std::string_view kind) {
    std::string text;
    for (const storage::EventRow& row : run.events) {
        if (row.kind == kind) text = row.text;
    }
    return text;
}

std::string commands(const RunFigures& run) {
    const std::string command = provenance(run, kCommandEvent);
    const std::string source = provenance(run, kSourceEvent);
    std::string text;
    if (!command.empty()) text += "<p><code>" + html_text(command) + "</code></p>\n";
    if (!source.empty()) {
        text +=
            "<p class=\"note\">The experiment file’s repository: " + html_text(source) + ".</p>\n";
    }
    return text;
}

// What the last attempt ran in.
std::string environment(const RunFigures& run) {
    if (run.attempts.empty()) return {};
    const storage::AttemptRow& row = run.attempts.back();
    std::vector<HtmlFact> facts{{"Lockstep", html_text(row.lockstep_version)},
                                {"oneDNN", html_text(row.onednn_version)},
                                {"MPI", html_text(row.mpi_version)},
                                {"instruction set", html_text(row.isa)},
                                {"vectors", html_text(row.simd_target)}};
    std::erase_if(facts, [](const HtmlFact& fact) { return fact.html.empty(); });
    return "<h4>Command and environment</h4>\n" + commands(run) + html_facts(facts);
}

std::string events(const RunFigures& run) {
    HtmlTable table("Events");
    table.text_column("UTC").number_column("attempt").text_column("event").text_column("text");
    std::vector<storage::EventRow> shown = run.events;
    std::erase_if(shown, is_provenance);
    const std::size_t left_out = shown.size() - std::min(shown.size(), kEventRows);
    for (const storage::EventRow& row : std::span(shown).subspan(left_out)) {
        table.row(time_text(row.utc))
            .number(fmt::format("{}", row.attempt))
            .text(row.kind)
            .text(row.text);
    }
    if (left_out == 0) return table.markup();
    return table.markup() + html_note(fmt::format("{} earlier events left out.", left_out));
}

std::string configuration(const RunFigures& run) {
    HtmlTable table("Settings");
    table.text_column("key").text_column("value").text_column("origin");
    for (const ConfigValue& each : run.config) {
        table.row(html_text(each.key))
            .html("<code>" + html_text(each.value) + "</code>")
            .text(each.origin);
    }
    return html_details("Every setting, and where it came from", table.markup());
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

}  // namespace

std::string html_record(const RunFigures& run) {
    return html_details(
               "Attempts, events, command and environment",
               "<h4>What happened</h4>\n" + attempts(run) + events(run) + environment(run)) +
           configuration(run) + files(run);
}

}  // namespace lockstep::reports
