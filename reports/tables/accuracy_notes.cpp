#include "reports/tables/accuracy_notes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>
#include <variant>

#include "reports/tables/optional_cell.hpp"
#include "reports/tables/table_columns.hpp"
#include "reports/words/test_set_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr std::size_t kMostListed = 8;  // test sets
constexpr std::size_t kLetters = 26;

std::string text_of(const Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    return text != nullptr ? *text : "";
}

// Of rows with an accuracy, in their order.
std::vector<std::string> test_sets(const Table& facts) {
    const std::size_t accuracy = place_of(facts, "test_accuracy");
    const std::size_t set = place_of(facts, "test_set");
    std::vector<std::string> sets;
    for (const std::vector<Cell>& row : facts.rows) {
        if (std::holds_alternative<std::monostate>(row[accuracy])) continue;
        const std::string text = text_of(row[set]);
        if (std::ranges::find(sets, text) == sets.end()) sets.push_back(text);
    }
    return sets;
}

// A to Z, then numbers.
std::string letter(std::size_t place) {
    if (place >= kLetters) return fmt::format("{}", place + 1);
    return {static_cast<char>('A' + static_cast<int>(place))};
}

void add_test_sets(const std::vector<std::string>& sets, bool has_marks,
                   std::vector<std::string>& notes) {
    if (sets.size() < 2) return;
    notes.push_back(fmt::format("Accuracies compare within one of {} test sets alone{}",
                                sets.size(), has_marks ? ":" : " (column test_set)"));
    if (!has_marks) return;
    for (std::size_t i = 0; i < std::min(sets.size(), kMostListed); ++i)
        notes.push_back(fmt::format("  {}: {}", letter(i), sets[i]));
    if (sets.size() > kMostListed)
        notes.push_back(
            fmt::format("  ... and {} more (column test_set)", sets.size() - kMostListed));
}

void add_synthetic(const Table& facts, std::vector<std::string>& notes) {
    const std::size_t set = place_of(facts, "test_set");
    const auto count = std::ranges::count_if(
        facts.rows, [&](const auto& row) { return text_of(row[set]).starts_with(kSynthetic); });
    if (count > 0)  // the words begin with the data set's name
        notes.push_back(synthetic_note(count == static_cast<std::ptrdiff_t>(facts.rows.size())));
}

bool is_selected(const Table& facts, const std::vector<Cell>& row) {
    return !text_of(row[place_of(facts, "selected_on")]).empty();
}

}  // namespace

Table accuracy_facts(const std::vector<RunFigures>& runs) {
    std::set<TestSet> sets;
    for (const RunFigures& run : runs) sets.insert(run.test_set);
    const TestSetTexts text_of_set(sets);
    Table table{{kAccuracyFacts.begin(), kAccuracyFacts.end()}, {}};
    for (const RunFigures& run : runs) {
        table.rows.push_back(
            {cell(run.test_accuracy), text_of_set(run.test_set),
             run.run.selected_on_test_set ? Cell(std::string(kSelectedOnTestSet)) : Cell()});
    }
    return table;
}

std::string synthetic_note(bool are_all) { return synthetic_text(are_all) + kSyntheticTells; }

bool has_several_test_sets(const Table& facts) { return test_sets(facts).size() > 1; }

std::vector<std::string> accuracy_notes(const Table& facts, bool has_marks) {
    std::vector<std::string> notes;
    const auto selected =
        std::ranges::count_if(facts.rows, [&](const auto& row) { return is_selected(facts, row); });
    if (selected > 0 && has_marks)
        notes.emplace_back("* chose its epoch by the test set: its test figures flatter");
    if (selected > 0 && !has_marks)
        notes.push_back(
            fmt::format("{} of these chose the epoch by the test set: such test "
                        "figures flatter (column selected_on)",
                        selected));
    add_test_sets(test_sets(facts), has_marks, notes);
    add_synthetic(facts, notes);
    return notes;
}

Table with_test_set_letters(Table table, const Table& facts) {
    const std::vector<std::string> sets = test_sets(facts);
    if (sets.size() < 2) return table;
    const std::size_t words = place_of(facts, "test_set");
    std::vector<Cell> letters;
    for (const std::vector<Cell>& row : facts.rows) {
        const auto set = std::ranges::find(sets, text_of(row[words]));
        letters.push_back(set == sets.end()
                              ? Cell()
                              : Cell(letter(static_cast<std::size_t>(set - sets.begin()))));
    }
    const std::size_t in_words = place_of(table, "test_set");
    if (in_words < table.columns.size()) erase_column(table, in_words);
    const std::size_t accuracy = place_of(table, "test_accuracy");
    insert_column(table, std::min(accuracy + 1, table.columns.size()), "test_set", letters);
    return table;
}

Table with_accuracy_marks(Table table, const Table& facts) {
    for (std::size_t i = 0; i < table.rows.size(); ++i)
        if (auto* name = std::get_if<std::string>(&table.rows[i][0]))
            if (is_selected(facts, facts.rows[i])) *name += " *";
    return with_test_set_letters(std::move(table), facts);
}

}  // namespace lockstep::reports
