// `--where` and its like: any expression of a user, and what it must not be able to do.

#include "storage/database/row_selection.hpp"

#include <string>
#include <vector>

#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;

Table sample_table() {
    return {{"run", "seed", "val_accuracy", "odd \"name\""},
            {{std::string("a"), std::int64_t{3}, 0.75, Cell()},
             {std::string("b"), std::int64_t{1}, Cell(), std::string("x")},
             {std::string("c"), std::int64_t{2}, 0.5, Cell()},
             {std::string("d"), std::int64_t{2}, 0.75, Cell()}}};
}

// The first column of what is selected, in one text.
std::string runs(const RowSelection& selection) {
    std::string text;
    for (const auto& row : select_rows(sample_table(), "v_runs", selection).rows) {
        text += std::get<std::string>(row.front());
    }
    return text;
}

std::string where(const std::string& expression) { return runs({expression, {}, {}, {}}); }

Kind kind_of_where(const std::string& expression) {
    return kind_thrown_by([&] { where(expression); });
}

}  // namespace

TEST_CASE("selection: nothing chosen is the whole table, cell for cell", "[storage]") {
    const Table table = sample_table();
    const Table selected = select_rows(table, "v_runs", {});
    CHECK(selected.columns == table.columns);
    CHECK(selected.rows == table.rows);
    CHECK(select_rows({{"x"}, {}}, "t", {"x > 1", {}, {}, {}}).rows.empty());
}

TEST_CASE("selection: where is SQL, and NULL is neither true nor false", "[storage]") {
    CHECK(where("val_accuracy > 0.7") == "ad");
    CHECK(where("not val_accuracy > 0.7") == "c");
    CHECK(where("val_accuracy is null or seed = 2") == "bcd");
    CHECK(where("run in ('a', 'c') and seed between 2 and 3") == "ac");
    CHECK(where("upper(run) like 'B%'") == "b");
    CHECK(where("seed = '2'") == "cd");  // a number column, as in the database
    CHECK(where("seed = (select min(seed) from v_runs)") == "b");
    CHECK(where("\"odd \"\"name\"\"\" = 'x' -- a comment") == "b");
    CHECK(where("0").empty());
}

TEST_CASE("selection: sorting keeps the order of equals, and puts what is absent last",
          "[storage]") {
    CHECK(runs({{}, {{"seed", false}}, {}, {}}) == "bcda");
    CHECK(runs({{}, {{"seed", true}}, {}, {}}) == "acdb");
    CHECK(runs({{}, {{"val_accuracy", false}}, {}, {}}) == "cadb");
    CHECK(runs({{}, {{"val_accuracy", true}, {"seed", false}}, {}, {}}) == "dacb");
}

TEST_CASE("selection: of numbers and words in one column numbers are numbers", "[storage]") {
    const Table table{{"run", "steps"},
                      {{std::string("a"), std::string("all")},
                       {std::string("b"), std::int64_t{10}},
                       {std::string("c"), 3.5},
                       {std::string("d"), Cell()}}};
    const auto selected = [&](const RowSelection& selection) {
        std::string text;
        for (const auto& row : select_rows(table, "v_runs", selection).rows)
            text += std::get<std::string>(row.front());
        return text;
    };
    const auto where = [&](const std::string& expression) {
        return selected({expression, {}, {}, {}});
    };
    CHECK(where("steps = 10") == "b");
    CHECK(where("steps < 10") == "c");
    CHECK(where("steps between 5 and 20") == "b");
    CHECK(where("steps > 5") == "ab");  // a word is behind all numbers, as it is sorted
    CHECK(where("steps = 'all'") == "a");
    CHECK(where("steps is null") == "d");
    CHECK(selected({{}, {{"steps", false}}, {}, {}}) == "cbad");
    CHECK(selected({{}, {{"steps", true}}, {}, {}}) == "abcd");
}

TEST_CASE("selection: columns come in the order asked for, rows up to the limit", "[storage]") {
    const Table table =
        select_rows(sample_table(), "v_runs", {"seed < 3", {}, {"seed", "run", "seed"}, 2});
    CHECK(table.rows ==
          std::vector<std::vector<Cell>>{{std::int64_t{1}, std::string("b"), std::int64_t{1}},
                                         {std::int64_t{2}, std::string("c"), std::int64_t{2}}});
    CHECK(runs({{}, {}, {}, 0}).empty());
    CHECK(runs({{}, {}, {}, 9}) == "abcd");
    CHECK(kind_thrown_by([] { runs({{}, {}, {"rum"}, {}}); }) == Kind::bad_statement);
    CHECK(kind_thrown_by([] { runs({{}, {{"seed; --", false}}, {}, {}}); }) == Kind::bad_statement);
}

TEST_CASE("selection: a condition is refused in the user's own words", "[storage]") {
    const auto message = [](const std::string& expression) -> std::string {
        try {
            where(expression);
        } catch (const StorageError& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message("seed >") == "the condition is not complete at its end");
    CHECK(message("seed > 1; drop table v_runs") ==
          "the condition must be one expression, without ';'");
    CHECK(message("seed = = 1").find("near \"=\"") != std::string::npos);
    CHECK(message("sead > 1").find("no such column: sead") != std::string::npos);
}

TEST_CASE("selection: what is not one expression is refused", "[storage]") {
    for (const std::string& expression :
         {std::string("seed >"), std::string("sead > 1"), std::string("1=1) or (1=1"),
          std::string("1) union select * from (select 1"), std::string("1 limit 1"),
          std::string("1 order by run"), std::string("1; delete from v_runs"),
          std::string("seed, run"), std::string("1 as x"), std::string("1 /* "),
          std::string("1 from v_runs union select 1"), std::string("select 1"), std::string(";"),
          std::string("-- nothing"), std::string("?1 )"), std::string("1\0 or 1", 7)}) {
        CAPTURE(expression);
        CHECK(kind_of_where(expression) == Kind::bad_statement);
    }
}

TEST_CASE("selection: an expression sees the table, and can only read it", "[storage]") {
    CHECK(kind_of_where("load_extension('x')") == Kind::no_permission);
    CHECK(kind_of_where("(select 1 from runs)") == Kind::bad_statement);  // of the run database
    CHECK(kind_of_where("exists (with recursive n(i) as (values (1) union all select i + 1 from n) "
                        "select i from n where i < 0)") == Kind::bad_statement);
    CHECK(kind_of_where("length(zeroblob(1000000000))") == Kind::bad_statement);
}

}  // namespace lockstep::storage
