#include "pipeline/verbs/fsck.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/care/findings.hpp"
#include "pipeline/care/store_check.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/ranks/mpi_leftovers.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

// The last line, for people.
std::string conclusion(const Findings& findings) {
    const bool is_sound = findings.is_sound();
    if (findings.repairs()) return is_sound ? "sound" : "not everything could be mended";
    if (is_sound) return "sound";
    const bool can_mend = std::ranges::any_of(
        findings.all(), [](const Finding& finding) { return !finding.repair.empty(); });
    return can_mend ? "not sound; `lockstep fsck --repair` does what the last column says"
                    : "not sound";
}

}  // namespace

int fsck(const FsckOptions& options) {
    const auto store = storage::RunStore::open(options.store);
    Findings findings(options.repairs);
    check_store(store, mpi_places(), findings);
    const bool is_for_people = options.format == reports::TableFormat::table;
    if (!is_for_people || !findings.all().empty()) {
        print_fitting(findings_table(findings.all(), options.repairs), options.format,
                      {.may_drop = false});
    }
    if (is_for_people) print(fmt::format("{}\n", conclusion(findings)));
    return findings.is_sound() ? kExitSuccess : kExitBadData;
}

}  // namespace lockstep::pipeline
