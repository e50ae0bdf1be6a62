#include "reports/tables/accuracy_notes.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;
using lockstep::storage::Table;

namespace {

using Texts = std::vector<std::string>;

Cell text(const char* what) { return std::string(what); }

// test_accuracy, test_set, selected_on
Table facts(std::vector<std::vector<Cell>> rows) {
    return {{kAccuracyFacts.begin(), kAccuracyFacts.end()}, std::move(rows)};
}

Table three_runs() {
    return {{"name", "test_accuracy", "test_set", "state"},
            {{text("a"), 0.5, text("ten"), text("finished")},
             {text("b"), 0.9, text("three"), text("finished")},
             {text("c"), Cell(), text("ten"), text("running")}}};
}

const Table kOnTwoSets = facts({{0.5, text("ten"), Cell()},
                                {0.9, text("three"), text("test set")},
                                {Cell(), text("ten"), {}}});

}  // namespace

TEST_CASE("accuracies of several test sets get a letter each, which is explained", "[reports]") {
    const Table marked = with_accuracy_marks(three_runs(), kOnTwoSets);
    CHECK(marked.columns == Texts{"name", "test_accuracy", "test_set", "state"});
    CHECK(marked.rows[0][2] == text("A"));
    CHECK(marked.rows[1][2] == text("B"));
    CHECK(marked.rows[2][2] == text("A"));
    CHECK(accuracy_notes(kOnTwoSets, true) ==
          Texts{"* chose its epoch by the test set: its test figures flatter",
                "Accuracies compare within one of 2 test sets alone:", "  A: ten", "  B: three"});
    CHECK(has_several_test_sets(kOnTwoSets));
}

TEST_CASE("a run that was selected on the test set has a mark", "[reports]") {
    const Table marked = with_accuracy_marks(three_runs(), kOnTwoSets);
    CHECK(marked.rows[0][0] == text("a"));
    CHECK(marked.rows[1][0] == text("b *"));
}

TEST_CASE("columns that a user chose get no marks, but the columns that tell are named",
          "[reports]") {
    const Texts notes = accuracy_notes(kOnTwoSets, false);
    REQUIRE(notes.size() == 2);
    CHECK(notes[0].find("(column selected_on)") != std::string::npos);
    CHECK(notes[1].find("(column test_set)") != std::string::npos);
}

TEST_CASE("one test set needs no letter; a run without an accuracy adds none", "[reports]") {
    const Table one =
        facts({{0.5, text("ten"), {}}, {0.9, text("ten"), {}}, {Cell(), text("three"), {}}});
    CHECK_FALSE(has_several_test_sets(one));
    CHECK(with_accuracy_marks(three_runs(), one).rows == three_runs().rows);
    CHECK(accuracy_notes(one, true).empty());
    CHECK(accuracy_notes(facts({}), true).empty());
}

TEST_CASE("synthetic images are said, of all rows or of some", "[reports]") {
    const Table all = facts({{0.5, text("synthetic, 300 test images"), {}}});
    CHECK(accuracy_notes(all, true) == Texts{synthetic_note(true)});
    const Table some = facts({{0.5, text("synthetic, 300 test images"), {}},
                              {Cell(), text("cifar10, 10,000 test images"), {}}});
    CHECK(accuracy_notes(some, false) == Texts{synthetic_note(false)});
}

TEST_CASE("more test sets than a legend has room for are counted", "[reports]") {
    std::vector<std::vector<Cell>> rows;
    for (int i = 0; i < 30; ++i) rows.push_back({0.5, "set " + std::to_string(i), Cell()});
    const Texts notes = accuracy_notes(facts(rows), true);
    CHECK(notes.size() == 10);  // a head, eight sets, and how many more
    CHECK(notes.back().find("22 more") != std::string::npos);
    Table table{{"name", "test_accuracy"}, {}};
    for (int i = 0; i < 30; ++i) table.rows.push_back({text("x"), 0.5});
    CHECK(with_accuracy_marks(table, facts(rows)).rows[25][2] == text("Z"));
    CHECK(with_accuracy_marks(table, facts(rows)).rows[26][2] == text("27"));
}
