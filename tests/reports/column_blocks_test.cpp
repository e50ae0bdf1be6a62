#include "reports/tables/column_blocks.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "reports/tables/table_text.hpp"
#include "tests/support/catch.hpp"

using namespace lockstep::reports;
using lockstep::storage::Cell;
using lockstep::storage::Table;

namespace {

using Names = std::vector<std::string>;

// Each column is as wide as its name: epoch 5, loss 4, accuracy 8, is_nan 6.
Table epochs() {
    const auto row = [](std::int64_t epoch) {
        return std::vector<Cell>{epoch, std::int64_t{7}, std::int64_t{8}, std::int64_t{0}};
    };
    return {{"epoch", "loss", "accuracy", "is_nan"}, {row(1), row(2)}};
}

std::vector<Names> columns_of(const std::vector<Table>& blocks) {
    std::vector<Names> columns;
    for (const Table& block : blocks) columns.push_back(block.columns);
    return columns;
}

}  // namespace

TEST_CASE("A table that has room is one block", "[reports]") {
    const std::vector<Table> blocks = column_blocks(epochs(), 29);
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].columns == epochs().columns);
    CHECK(blocks[0].rows == epochs().rows);
}

TEST_CASE("Columns go on below behind the first one, each once and in their order", "[reports]") {
    CHECK(columns_of(column_blocks(epochs(), 28)) ==
          std::vector<Names>{{"epoch", "loss", "accuracy"}, {"epoch", "is_nan"}});
    CHECK(columns_of(column_blocks(epochs(), 20)) ==
          std::vector<Names>{{"epoch", "loss"}, {"epoch", "accuracy"}, {"epoch", "is_nan"}});
    for (const Table& block : column_blocks(epochs(), 20)) {
        REQUIRE(block.rows.size() == 2);
        CHECK(block.rows[1][0] == Cell(std::int64_t{2}));
    }
}

TEST_CASE("A text without room beside the first column goes on in further rows", "[reports]") {
    const Table table{{"epoch", "cause"},
                      {{std::int64_t{1}, std::string("the rank was killed by somebody else")}}};
    const std::vector<Table> blocks = column_blocks(table, 30);
    REQUIRE(blocks.size() == 1);
    REQUIRE(blocks[0].rows.size() == 2);
    CHECK(blocks[0].rows[0][1] == Cell(std::string("the rank was killed by")));
    CHECK(blocks[0].rows[1][1] == Cell(std::string("somebody else")));
    CHECK(table_width(blocks[0]) <= 30);
}

TEST_CASE("A table of one column is one block", "[reports]") {
    const Table table{{"epoch"}, {{std::int64_t{1}}}};
    REQUIRE(column_blocks(table, 80).size() == 1);
    CHECK(column_blocks(table, 80)[0].columns == table.columns);
}
