#include "pipeline/verbs/tag.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/path_text.hpp"
#include "pipeline/verbs/terminal_table.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/run_store.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLongestNote = 1000;  // bytes

std::string checked_tag(const std::string& text) {
    if (storage::is_safe_name(text)) return text;
    throw UsageError(fmt::format(
        "\"{}\" is no tag: letters, digits, '.', '_' and '-', 64 of them at most, and neither '.' "
        "nor '-' in front",
        text));
}

storage::Annotation annotation_of(const TagOptions& options) {
    storage::Annotation annotation;
    for (const std::string& word : options.words)
        if (word.starts_with('+')) annotation.added_tags.push_back(checked_tag(word.substr(1)));
    for (const std::string& word : options.removed)
        annotation.removed_tags.push_back(checked_tag(word));
    annotation.note = options.note;
    if (annotation.note && !is_utf8(*annotation.note))
        throw UsageError(
            fmt::format("--note: \"{}\" is no UTF-8, which other programs could not "
                        "read; write it in UTF-8",
                        printable(*annotation.note)));
    if (annotation.note && annotation.note->size() > kLongestNote)
        throw UsageError(
            fmt::format("--note: {} bytes; {} at most", annotation.note->size(), kLongestNote));
    return annotation;
}

bool is_question(const TagOptions& options) {
    const bool has_tag = std::ranges::any_of(
        options.words, [](const std::string& word) { return word.starts_with('+'); });
    return !has_tag && options.removed.empty() && !options.note;
}

// A name that chance gave to runs of several experiments is no choice of them.
UsageError spans_experiments(const std::string& text, const std::vector<storage::RunRow>& runs) {
    std::string ids;
    for (const storage::RunRow& run : runs)
        ids += fmt::format("{}{} ({})", ids.empty() ? "" : ", ", run.run, run.experiment);
    return UsageError(fmt::format(
        "\"{}\" means runs of several experiments; name those that you mean: {}", text, ids));
}

std::vector<std::string> runs_of(const storage::RunDatabase& database, const TagOptions& options) {
    std::vector<std::string> texts;
    for (const std::string& word : options.words)
        if (!word.starts_with('+')) texts.push_back(word);
    if (texts.empty()) throw UsageError("which runs? `lockstep tag RUN +TAG`");
    for (const std::string& text : texts) {
        const std::vector<storage::RunRow> runs = database.match_runs(text);
        if (runs.empty() && texts.size() > 1 && storage::is_safe_name(text))
            throw Failure(
                kExitMissingInput,
                fmt::format("the store has no run \"{0}\"; to add it as a tag, write +{0}", text));
        if (is_question(options)) continue;
        const bool is_one = std::ranges::all_of(runs, [&](const storage::RunRow& run) {
            return run.experiment == runs.front().experiment;
        });
        if (!is_one) throw spans_experiments(text, runs);
    }
    return is_question(options) ? matching_runs(database, texts) : runs_to_change(database, texts);
}

}  // namespace

int tag(const TagOptions& options) {
    const storage::Annotation annotation = annotation_of(options);
    const bool only_asks = is_question(options);
    storage::RunDatabase database =
        only_asks ? open_for_reading(options.store)
                  : storage::RunDatabase(storage::RunStore::open(options.store).database(),
                                         storage::DatabaseAccess::read_write);
    storage::Table table{{"run", "tags", "notes"}, {}};
    for (const std::string& run : runs_of(database, options)) {
        if (!only_asks) database.annotate(run, annotation);
        table.rows.push_back({run, fmt::format("{}", fmt::join(database.tags(run), " ")),
                              database.find_run(run)->notes});
    }
    print_fitting(table, options.format, {.may_drop = false});
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
