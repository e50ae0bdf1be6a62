#include "pipeline/verbs/diff_tables.hpp"

#include <fmt/format.h>

#include <optional>
#include <variant>

#include "reports/tables/optional_cell.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::pipeline {
namespace {

using reports::cell;
using reports::FigureDifference;
using reports::RunFigures;
using reports::SettingDifference;
using storage::Cell;
using storage::Table;

Cell moved_by(const FigureDifference& figure) {
    const bool is_comparable = figure.movement != reports::Movement::not_comparable;
    if (!figure.first || !figure.second || !is_comparable) return std::monostate{};
    return *figure.second - *figure.first;
}

// The sides that a figure of the test set flatters.
Cell selected_on_test_set(const FigureDifference& figure) {
    if (figure.is_first_selected && figure.is_second_selected) return std::string("both");
    if (figure.is_first_selected) return std::string("first");
    return figure.is_second_selected ? Cell(std::string("second")) : Cell(std::monostate{});
}

// Two architectures are tested as a pair, not figure by figure (pair_tests.hpp).
Cell movement_of_means(const FigureDifference& figure) {
    if (figure.movement == reports::Movement::unknown) return {};
    return std::string(to_string(figure.movement));
}

}  // namespace

Cell text_or_none(const std::string& text) {
    return text.empty() ? Cell(std::monostate{}) : Cell(text);
}

std::vector<SettingDifference> all_differences(const RunFigures& first, const RunFigures& second) {
    auto differences = reports::setting_differences(first.config, second.config);
    const auto add = [&](const char* key, const std::string& a, const std::string& b) {
        if (a != b) differences.push_back({key, a, b});
    };
    add("data_digest", first.run.data_digest, second.run.data_digest);
    add("initial_weights_sha256", first.run.initial_weights_sha256,
        second.run.initial_weights_sha256);
    return differences;
}

Table settings_table(const std::vector<SettingDifference>& differences) {
    Table table{{"key", "first", "second"}, {}};
    for (const SettingDifference& each : differences) {
        table.rows.push_back({each.key, text_or_none(each.first), text_or_none(each.second)});
    }
    return table;
}

Table figures_table(const std::vector<FigureDifference>& differences) {
    Table table{{"figure", "first", "second", "difference", "seed_noise", "p", "p_after_holm",
                 "movement", "selected_on_test_set"},
                {}};
    for (const FigureDifference& each : differences) {
        table.rows.push_back({each.figure, cell(each.first), cell(each.second), moved_by(each),
                              cell(each.seed_noise), cell(each.p_value),
                              cell(each.adjusted_p_value), std::string(to_string(each.movement)),
                              selected_on_test_set(each)});
    }
    return table;
}

Table means_table(const std::vector<FigureDifference>& differences) {
    Table table{{"figure", "first", "second", "difference", "movement", "selected_on_test_set"},
                {}};
    for (const FigureDifference& each : differences) {
        table.rows.push_back({each.figure, cell(each.first), cell(each.second), moved_by(each),
                              movement_of_means(each), selected_on_test_set(each)});
    }
    return table;
}

Table readable_figures(Table table) {
    for (auto& row : table.rows) {
        const std::string figure = std::get<std::string>(row[0]);
        for (std::size_t i = 1; i < row.size(); ++i) {
            const auto* value = std::get_if<double>(&row[i]);
            if (value == nullptr) continue;
            const bool is_probability = table.columns[i].starts_with("p");
            row[i] =
                is_probability ? fmt::format("{:.4f}", *value) : reports::cell_text(figure, row[i]);
        }
    }
    return table;
}

Table one_table(const Table& settings, const Table& figures) {
    Table table{{"kind", "key"}, {}};
    table.columns.insert(table.columns.end(), figures.columns.begin() + 1, figures.columns.end());
    const auto add = [&](const char* kind, const std::vector<Cell>& cells) {
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(std::string(kind));
        row.insert(row.end(), cells.begin(), cells.end());
        row.resize(table.columns.size());
    };
    for (const auto& row : settings.rows) add("setting", row);
    for (const auto& row : figures.rows) add("figure", row);
    return table;
}

}  // namespace lockstep::pipeline
