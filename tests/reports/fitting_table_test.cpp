#include "reports/tables/fitting_table.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "reports/tables/record_text.hpp"
#include "reports/tables/table_text.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;
using lockstep::storage::Table;

namespace {

using Texts = std::vector<std::string>;

Cell text(const char* what) { return std::string(what); }

Texts first_column(const Table& table) {
    Texts texts;
    for (const auto& row : table.rows) texts.push_back(std::get<std::string>(row[0]));
    return texts;
}

// name of 40 characters, test_accuracy, state, batch_size
Table sweep() {
    return {{"name", "test_accuracy", "state", "batch_size"},
            {{text("vgg-batch32-momentum0.9-nesterov-seed123"), 0.5, text("finished"),
              std::int64_t{32}},
             {text("vgg-batch64-momentum0.9-nesterov-seed123"), 0.6, text("finished"),
              std::int64_t{64}}}};
}

}  // namespace

TEST_CASE("fitting: a column without a value in any row is left out", "[reports]") {
    const Table table{{"a", "b", "c", "d"},
                      {{text("x"), Cell(), text(""), Cell()}, {text("y"), Cell(), Cell(), 0.0}}};
    const Table shown = without_empty_columns(table);
    CHECK(shown.columns == Texts{"a", "d"});
    CHECK(shown.rows[0] == std::vector<Cell>{text("x"), Cell()});
    CHECK(without_empty_columns({{"a", "b"}, {}}).columns == Texts{"a", "b"});
}

TEST_CASE("fitting: what has room stays as it is", "[reports]") {
    const FittedTable all = fitted(sweep(), table_width(sweep()), {});
    CHECK(all.left_out == 0);
    CHECK(all.table.rows == sweep().rows);
    CHECK(fitted({{}, {}}, 10, {}).table.columns.empty());
}

TEST_CASE("fitting: names are shortened in the middle, and stay different", "[reports]") {
    const std::size_t width = table_width(sweep()) - 3;
    const FittedTable shorter = fitted(sweep(), width, {});
    CHECK(shorter.left_out == 0);
    CHECK(table_width(shorter.table) == width);
    const Texts names = first_column(shorter.table);
    CHECK(names[0] != names[1]);
    for (const std::string& name : names) {
        CHECK(name.size() == 37);
        CHECK(name.starts_with("vgg-batch"));
        CHECK(name.ends_with("-seed123"));
        CHECK(name.find("...") != std::string::npos);
    }
    // Where the difference stands in the middle, it stays.
    const Table middle{{"name"},
                       {{text("aaaaaaaaaaaaaaaaaaaaXaaaaaaaaaaaaaaaaaaaa")},
                        {text("aaaaaaaaaaaaaaaaaaaaYaaaaaaaaaaaaaaaaaaaa")}}};
    const Texts kept = first_column(fitted(middle, 30, {}).table);
    CHECK(kept[0] != kept[1]);
}

TEST_CASE("fitting: columns leave from the right, but for those that are asked for", "[reports]") {
    const Texts kept{"batch_size", "no such column"};
    const FittedTable narrow = fitted(sweep(), 60, kept);
    CHECK(narrow.table.columns == Texts{"name", "test_accuracy", "batch_size"});
    CHECK(narrow.left_out == 1);
    CHECK(table_width(narrow.table) == 60);  // names are no shorter than that
    CHECK(fitted(sweep(), 1, kept).table.columns == Texts{"name", "batch_size"});
    CHECK(fitted(sweep(), 1, {}).table.columns == Texts{"name"});
}

TEST_CASE("fitting: equal names are told apart by what does", "[reports]") {
    constexpr std::array<std::string_view, 3> kBy{"experiment", "none", "run"};
    Table other{{"name", "loss", "experiment", "run"},
                {{text("small"), 0.5, text("a"), text("small-1")},
                 {text("small"), 0.6, text("b"), text("small-2")}}};
    CHECK(tell_apart(other, kBy) == "experiment");
    CHECK(other.columns == Texts{"name", "experiment", "loss", "run"});
    CHECK(other.rows[1] == std::vector<Cell>{text("small"), text("b"), 0.6, text("small-2")});
    other.rows[1][1] = text("a");
    CHECK(tell_apart(other, kBy) == "run");
    CHECK(other.columns == Texts{"name", "run", "experiment", "loss"});
    other.rows.pop_back();
    CHECK_FALSE(tell_apart(other, kBy));
}

TEST_CASE("fitting: long texts go on in further rows, with every word", "[reports]") {
    const Table table{{"health", "found", "advice"},
                      {{text("ok"), text("two cores of this machine"), Cell()},
                       {text("problem"), text("no room"),
                        text("choose another folder that has more of it, or free some")}}};
    const Table broken = with_broken_lines(table, 60);
    CHECK(table_width(broken) <= 60);
    CHECK(broken.rows.size() > table.rows.size());
    std::string words;
    for (std::size_t i = 1; i < broken.rows.size(); ++i) {
        if (i > 1) CHECK(broken.rows[i][0] == Cell());
        words += (i > 1 ? " " : "") + std::get<std::string>(broken.rows[i][2]);
    }
    CHECK(words == std::get<std::string>(table.rows[1][2]));
    CHECK(with_broken_lines(table, 200).rows == table.rows);
    // A path has no spaces.
    const Table word{{"a", "b"}, {{text("x"), Cell(std::string(100, 'x'))}}};
    const Table pieces = with_broken_lines(word, 43);
    CHECK(table_width(pieces) <= 43);
    CHECK(pieces.rows.size() == 3);
}

TEST_CASE("fitting: columns that belong together leave together", "[reports]") {
    const Table table{{"name", "low", "x", "high", "test_accuracy"},
                      {{text("a"), 0.25, 1.0, 0.75, 0.5}}};
    const std::vector<std::string> kept{"test_accuracy"};
    const ColumnPairs together{{"low", "high"}};
    const std::size_t width =
        table_width({{"name", "low", "x", "test_accuracy"}, {{text("a"), 0.25, 1.0, 0.5}}});
    CHECK(fitted(table, width, kept).table.columns == Texts{"name", "low", "x", "test_accuracy"});
    const FittedTable shown = fitted(table, width, kept, together);
    CHECK(shown.table.columns == Texts{"name", "x", "test_accuracy"});
    CHECK(shown.left_out == 2);
}

TEST_CASE("fitting: words are broken where they have a joint, and columns side by side",
          "[reports]") {
    const Table table{{"key", "first", "second"},
                      {{text("train.optimizer.learning_rate"), text("one-very-long-name-of-a-run"),
                        text("a value of several words, longer than a line")}}};
    const Table broken = with_broken_lines(table, 70);
    CHECK(table_width(broken) <= 70);
    CHECK(broken.rows[0][0] == text("train.optimizer."));
    CHECK(broken.rows[1][0] == text("learning_rate"));
    // The second line of one text stands beside that of the other.
    CHECK(std::holds_alternative<std::string>(broken.rows[1][2]));
    CHECK(broken_lines("best_val_accuracy", 17) == Texts{"best_val_accuracy"});
    CHECK(broken_lines("best_val_accuracy", 16) == Texts{"best_val_", "accuracy"});
    CHECK(broken_lines("", 10) == Texts{""});
}

TEST_CASE("fitting: of long texts, columns leave only where lines are not enough", "[reports]") {
    const Table table{{"figure", "first", "p", "movement"},
                      {{text("best_val_accuracy"), 0.5, 0.25, text("not distinguishable")}}};
    const Texts kept{"movement"};
    const FittedTable all = fitted_in_lines(table, 80, kept);
    CHECK(all.left_out == 0);
    CHECK(all.table.rows == table.rows);
    const FittedTable few = fitted_in_lines(table, 45, kept);
    CHECK(few.table.columns == Texts{"figure", "first", "movement"});
    CHECK(few.left_out == 1);
    CHECK(few.table.rows.size() == 1);
}

TEST_CASE("fitting: what has no room as columns is shown in lines", "[reports]") {
    const Table table{{"name", "test_accuracy", "cause"},
                      {{text("a"), 0.5, Cell()}, {text("b"), Cell(), text("rank 1 was killed")}}};
    CHECK(record_text(table, 30) ==
          "name           a\ntest_accuracy  0.5000\n\nname           b\n"
          "cause          rank 1 was\n               killed\n");
    const Table long_name{{"train.early_stopping.patience", "b"}, {{1.0, 2.0}}};
    CHECK(record_text(long_name, 24) ==
          "train.early_stopping.\npatience\n            1\nb           2\n");
}
