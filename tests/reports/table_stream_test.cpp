#include "reports/tables/table_stream.hpp"

#include <stdexcept>
#include <string>

#include "reports/tables/table_text.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

Table rows(std::int64_t first, std::int64_t last) {
    Table table{{"number", "text"}, {}};
    for (std::int64_t i = first; i < last; ++i) table.rows.push_back({i, std::string("a\n\"b\"")});
    return table;
}

TEST_CASE("stream: pieces give the text of the whole table") {
    const TableFormat format = GENERATE(TableFormat::csv, TableFormat::json);
    for (const std::int64_t total : {0, 1, 5}) {
        for (const std::int64_t cut : {0, 1, 5}) {
            if (cut > total) continue;
            TableStream stream(format);
            std::string text = stream.text(rows(0, cut));
            text += stream.text(rows(cut, total));
            text += stream.text(rows(0, 0));
            text += stream.end();
            CHECK(text == table_text(rows(0, total), format));
        }
    }
    CHECK_THROWS_AS(TableStream(TableFormat::md), std::invalid_argument);
}

TEST_CASE("spreadsheets: text that would be a formula is marked, numbers are not") {
    const Table table{{"x"},
                      {{std::string("=HYPERLINK(1)")},
                       {std::string("@x")},
                       {std::string("-")},
                       {std::string("\tx")},
                       {std::string("a=b")},
                       {std::string()},
                       {-1.5},
                       {Cell()}}};
    CHECK(table_text(without_formulas(table), TableFormat::csv) ==
          "x\n'=HYPERLINK(1)\n'@x\n'-\n'\tx\na=b\n\n-1.5\n\n");
}

}  // namespace
}  // namespace lockstep::reports
