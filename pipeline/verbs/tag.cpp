#include "pipeline/verbs/tag.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

#include "pipeline/failure/exit_codes.hpp"
#include "pipeline/failure/failure.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "reports/tables/table_text.hpp"
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
    if (annotation.note && annotation.note->size() > kLongestNote)
        throw UsageError(
            fmt::format("--note: {} bytes; {} at most", annotation.note->size(), kLongestNote));
    return annotation;
}

std::vector<std::string> runs_of(const storage::RunDatabase& database, const TagOptions& options) {
    std::vector<std::string> texts;
    for (const std::string& word : options.words)
        if (!word.starts_with('+')) texts.push_back(word);
    if (texts.empty()) throw UsageError("which runs? `lockstep tag RUN +TAG`");
    return matching_runs(database, texts);
}

}  // namespace

int tag(const TagOptions& options) {
    const storage::Annotation annotation = annotation_of(options);
    const bool is_question =
        annotation.added_tags.empty() && annotation.removed_tags.empty() && !annotation.note;
    storage::RunDatabase database =
        is_question ? open_for_reading(options.store)
                    : storage::RunDatabase(storage::RunStore::open(options.store).database(),
                                           storage::DatabaseAccess::read_write);
    storage::Table table{{"run", "tags", "notes"}, {}};
    for (const std::string& run : runs_of(database, options)) {
        if (!is_question) database.annotate(run, annotation);
        table.rows.push_back({run, fmt::format("{}", fmt::join(database.tags(run), " ")),
                              database.find_run(run)->notes});
    }
    print(reports::table_text(table, options.format));
    return kExitSuccess;
}

}  // namespace lockstep::pipeline
