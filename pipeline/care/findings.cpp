#include "pipeline/care/findings.hpp"

#include <algorithm>
#include <exception>

namespace lockstep::pipeline {
namespace {

std::string word_for(Severity severity) {
    if (severity == Severity::note) return "note";
    return severity == Severity::warning ? "warning" : "error";
}

std::string word_for(const Finding& finding) {
    if (finding.outcome == Outcome::mended) return "mended";
    if (finding.outcome == Outcome::failed) return "failed: " + finding.failure;
    return finding.severity == Severity::note ? "" : "left";
}

}  // namespace

bool Findings::report(Severity severity, const std::string& where, const std::string& what,
                      const std::string& repair, const std::function<void()>& mend) {
    Finding& finding = all_.emplace_back(
        Finding{severity, where, what, repair, Outcome::not_tried, std::string()});
    if (!repairs_) return false;
    try {
        mend();
        finding.outcome = Outcome::mended;
        return true;
    } catch (const std::exception& error) {
        finding.outcome = Outcome::failed;
        finding.failure = error.what();
        return false;
    }
}

void Findings::report(Severity severity, const std::string& where, const std::string& what) {
    all_.push_back({severity, where, what, std::string(), Outcome::not_tried, std::string()});
}

bool Findings::is_sound() const {
    return std::ranges::all_of(all_, [](const Finding& finding) {
        return finding.severity == Severity::note || finding.outcome == Outcome::mended;
    });
}

storage::Table findings_table(const std::vector<Finding>& findings, bool repairs) {
    storage::Table table{{"severity", "where", "what", "repair"}, {}};
    if (repairs) table.columns.emplace_back("outcome");
    for (const Finding& finding : findings) {
        auto& row = table.rows.emplace_back();
        row.assign({word_for(finding.severity), finding.where, finding.what, finding.repair});
        if (repairs) row.emplace_back(word_for(finding));
    }
    return table;
}

}  // namespace lockstep::pipeline
