#include "reports/tables/class_tables.hpp"

#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using Row = std::vector<Cell>;

// One sample a pair of label and class that it is taken for.
PredictionFigures figures_of(const std::vector<std::string>& names,
                             const std::vector<std::pair<int, int>>& samples) {
    storage::Predictions predictions;
    predictions.class_names = names;
    for (const auto& [label, predicted] : samples) {
        predictions.labels.push_back(static_cast<std::uint8_t>(label));
        std::vector<float> row(names.size(), 0.0f);
        row[static_cast<std::size_t>(predicted)] = 1.0f;
        predictions.probabilities.insert(predictions.probabilities.end(), row.begin(), row.end());
    }
    return prediction_figures(predictions);
}

std::string text(const Cell& cell) { return std::get<std::string>(cell); }
std::int64_t whole(const Cell& cell) { return std::get<std::int64_t>(cell); }

TEST_CASE("Classes stand in the order of labels, each with its greatest mistake") {
    const auto figures =
        figures_of({"cat", "dog", "owl"}, {{0, 0}, {0, 1}, {0, 2}, {0, 2}, {1, 1}});
    const storage::Table table = classes_table(figures);
    REQUIRE(table.rows.size() == 3);
    CHECK(table.rows[0] == Row{std::string("cat"), std::int64_t{4}, std::int64_t{1}, 0.25, 1.0, 0.4,
                               std::string("owl"), std::int64_t{2}});
    CHECK(text(table.rows[1][0]) == "dog");
    CHECK(table.rows[1][6] == Cell());  // never mistaken
    CHECK(table.rows[2][3] == Cell());  // no sample of it
}

TEST_CASE("The worst classes come by their recall, those without samples not at all") {
    const auto figures = figures_of({"a", "b", "c", "d"}, {{0, 0}, {1, 0}, {2, 2}, {2, 0}});
    const storage::Table worst = classes_table(figures, 2);
    REQUIRE(worst.rows.size() == 2);
    CHECK(text(worst.rows[0][0]) == "b");
    CHECK(text(worst.rows[1][0]) == "c");
    CHECK(classes_table(figures, 10).rows.size() == 3);
}

TEST_CASE("Confusions are counted by pairs, the most frequent mistakes first") {
    const auto figures = figures_of({"a", "b"}, {{0, 0}, {0, 1}, {1, 0}, {1, 0}, {1, 1}});
    const storage::Table all = confusions_table(figures);
    REQUIRE(all.rows.size() == 4);
    CHECK(all.rows[0] == Row{std::string("a"), std::string("a"), std::int64_t{1}});
    const storage::Table most = confusions_table(figures, 1);
    REQUIRE(most.rows.size() == 1);
    CHECK(most.rows[0] == Row{std::string("b"), std::string("a"), std::int64_t{2}});
    const storage::Table matrix = confusion_matrix(figures);
    CHECK(matrix.columns == std::vector<std::string>{"class", "a", "b"});
    CHECK(whole(matrix.rows[1][1]) == 2);
}

}  // namespace
}  // namespace lockstep::reports
