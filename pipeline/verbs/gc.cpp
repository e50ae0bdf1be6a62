#include "pipeline/verbs/gc.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>

#include "pipeline/care/garbage.hpp"
#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/ranks/rank_session.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "reports/words/number_text.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::array kKinds{GarbageKind::previous_checkpoint, GarbageKind::checkpoint,
                            GarbageKind::temporary, GarbageKind::orphan, GarbageKind::database};

bool is_kept(const GcOptions& options, GarbageKind kind) {
    return std::ranges::find(options.kept, to_string(kind)) != options.kept.end();
}

void check_kinds(const GcOptions& options) {
    for (const std::string& word : options.kept) {
        const auto is_it = [&](GarbageKind kind) { return to_string(kind) == word; };
        if (std::ranges::any_of(kKinds, is_it)) continue;
        throw UsageError(
            fmt::format("--keep: \"{}\" is none of previous, checkpoint, temporary, "
                        "orphan, database",
                        word));
    }
}

storage::Table table_of(const storage::RunStore& store, const std::vector<Garbage>& garbage) {
    storage::Table table{{"kind", "where", "bytes"}, {}};
    for (const Garbage& each : garbage) {
        table.rows.push_back(
            {std::string(to_string(each.kind)), store.relative_path(each.path), each.bytes});
    }
    return table;
}

// By kind; a piece that cannot be removed is told and left, and the others are.
struct Freed {
    std::array<std::int64_t, kKinds.size()> bytes{};
    bool is_complete = true;
};

Freed remove(const storage::RunStore& store, const std::vector<Garbage>& garbage) {
    storage::RunDatabase database(store.database(), storage::DatabaseAccess::read_write);
    Freed freed;
    for (const Garbage& each : garbage) {
        try {
            freed.bytes.at(static_cast<std::size_t>(each.kind)) +=
                remove_garbage(store, database, each);
        } catch (const std::exception& error) {
            tell_failure({kExitSuccess, fmt::format("left {}: {}", store.relative_path(each.path),
                                                    error.what())});
            freed.is_complete = false;
        }
    }
    return freed;
}

void tell(const Freed& freed) {
    std::string text = "freed bytes:";
    for (const GarbageKind kind : kKinds) {
        text +=
            fmt::format(" {} {}", to_string(kind), freed.bytes.at(static_cast<std::size_t>(kind)));
    }
    tell_failure({kExitSuccess, text});
}

}  // namespace

int gc(const GcOptions& options) {
    check_kinds(options);
    const auto store = storage::RunStore::open(options.store);
    std::vector<Garbage> garbage = find_garbage(store, open_for_reading(options.store));
    std::erase_if(garbage, [&](const Garbage& each) { return is_kept(options, each.kind); });
    if (garbage.empty() && shows_to_people(options.format)) {
        tell_failure({kExitSuccess, "nothing to free"});
        return kExitSuccess;
    }
    std::int64_t bytes = 0;
    for (const Garbage& each : garbage) bytes += each.bytes;
    const std::string all = reports::thousands(bytes) + " bytes";
    print_fitting(table_of(store, garbage), options.format,
                  {.may_drop = false, .notes = {all + " in all"}});
    if (garbage.empty()) return kExitSuccess;
    if (!has_consent(options.consent, fmt::format("Free {} for ever?", all))) return kExitSuccess;
    const Freed freed = remove(store, garbage);
    tell(freed);
    return freed.is_complete ? kExitSuccess : kExitInputOutput;
}

}  // namespace lockstep::pipeline
