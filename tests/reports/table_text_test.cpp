#include "reports/tables/table_text.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <variant>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Table one_cell(const std::string& column, const Cell& cell) { return {{column}, {{cell}}}; }

TEST_CASE("CSV quotes a field with a comma, quote or line break, and doubles quotes (RFC 4180)") {
    const Table table{{"a,b", "plain"},
                      {{std::string("say \"hi\""), std::string("x")},
                       {std::string("two\nlines"), std::string("")}}};
    CHECK(table_text(table, TableFormat::csv) ==
          "\"a,b\",plain\n\"say \"\"hi\"\"\",x\n\"two\nlines\",\n");
}

TEST_CASE("CSV and JSON give a double back to the last bit") {
    const double value = 0.1 + 0.2;
    const std::string csv = table_text(one_cell("x", value), TableFormat::csv);
    CHECK(std::stod(csv.substr(csv.find('\n') + 1)) == value);
    const auto json = nlohmann::json::parse(table_text(one_cell("x", value), TableFormat::json));
    CHECK(json.at(0).at("x").get<double>() == value);
}

TEST_CASE("NULL and NaN are different things, except in JSON, which has no NaN") {
    const Table table{{"loss", "val_loss"}, {{kNaN, std::monostate{}}, {-kInfinity, 1.0}}};
    CHECK(table_text(table, TableFormat::csv) == "loss,val_loss\nNaN,\n-Infinity,1\n");
    const auto json = nlohmann::json::parse(table_text(table, TableFormat::json));
    CHECK(json.at(0).at("loss").is_null());
    CHECK(json.at(0).at("val_loss").is_null());
    CHECK(table_text(table, TableFormat::table).find("NaN") != std::string::npos);
}

TEST_CASE("JSON keeps the order of the columns and whole numbers whole") {
    const Table table{{"z", "a"}, {{std::int64_t{9007199254740993}, std::string("\x1b[31m\"")}}};
    const std::string text = table_text(table, TableFormat::json);
    CHECK(text.find("\"z\"") < text.find("\"a\""));
    const auto json = nlohmann::json::parse(text);
    CHECK(json.at(0).at("z").get<std::int64_t>() == 9007199254740993);
    CHECK(json.at(0).at("a").get<std::string>() == "\x1b[31m\"");
    CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("An empty table still has its header, and is an empty array in JSON") {
    const Table table{{"run", "epoch"}, {}};
    CHECK(table_text(table, TableFormat::csv) == "run,epoch\n");
    CHECK(table_text(table, TableFormat::json) == "[]\n");
    CHECK(table_text(table, TableFormat::table) == "run  epoch\n---  -----\n");
}

TEST_CASE("Columns are aligned by characters, numbers to the right") {
    const Table table{
        {"name", "epochs"},
        {{std::string("Zürich"), std::int64_t{7}}, {std::string("a"), std::int64_t{120}}}};
    CHECK(table_text(table, TableFormat::table) ==
          "name    epochs\n"
          "------  ------\n"
          "Zürich       7\n"
          "a          120\n");
}

TEST_CASE("People read figures rounded by what their column counts") {
    const Table table{{"test_accuracy", "run_seconds", "images_per_second", "learning_rate"},
                      {{0.66449999, 12.3456, 9876.54, 0.001}}};
    CHECK(table_text(table, TableFormat::md) ==
          "| test_accuracy | run_seconds | images_per_second | learning_rate |\n"
          "| ---: | ---: | ---: | ---: |\n"
          "| 0.6645 | 12.3 | 9877 | 0.001 |\n");
}

TEST_CASE("User text is inert in a terminal") {
    const std::string hostile =
        "a\x1b]0;owned\x07\r\nb\xc2\x9b"
        "31m\xe2\x80\xae"
        "c\xff";
    const std::string text = table_text(one_cell("title", hostile), TableFormat::table);
    CHECK(text ==
          "title\n" + std::string(40, '-') + "\na\\x1b]0;owned\\x07\\r\\nb\\x9b31m\\u202ec\\xff\n");
}

TEST_CASE("User text is inert in Markdown and in the HTML made of it") {
    const std::string hostile = "<script>|[x](javascript:1)`*&\n| row";
    const std::string text = table_text(one_cell("title", hostile), TableFormat::md);
    CHECK(text ==
          "| title |\n| --- |\n"
          "| &lt;script&gt;\\|\\[x\\](javascript:1)\\`\\*&amp;\\\\n\\| row |\n");
}

TEST_CASE("Sections stand below each other, and side by side in JSON") {
    const std::vector<Section> sections{{"run", one_cell("key", std::string("v"))},
                                        {"epochs", {{"epoch"}, {}}}};
    CHECK(sections_text(sections, TableFormat::md) ==
          "## run\n\n| key |\n| --- |\n| v |\n\n## epochs\n\n| epoch |\n| --- |\n");
    const auto json = nlohmann::json::parse(sections_text(sections, TableFormat::json));
    CHECK(json.at("run").at(0).at("key") == "v");
    CHECK(json.at("epochs").empty());
    CHECK_THROWS_AS(sections_text(sections, TableFormat::csv), std::invalid_argument);
}

}  // namespace

TEST_CASE("json: columns of one name lose no value", "[reports]") {
    const Table table{{"a", "a", "b", "a"}, {{1.0, 2.0, 3.0, 4.0}}};
    const auto json = nlohmann::json::parse(table_text(table, TableFormat::json));
    CHECK(json.at(0).size() == 4);
    CHECK(json.at(0).at("a") == 1.0);
    CHECK(json.at(0).at("a:1") == 2.0);
    CHECK(json.at(0).at("a:2") == 4.0);
}

}  // namespace lockstep::reports
