#include "reports/tables/table_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <variant>

#include "reports/words/terminal_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;
using Json = nlohmann::ordered_json;

bool is_text(const Cell& cell) { return std::holds_alternative<std::string>(cell); }

std::string not_finite(double value) {
    if (std::isnan(value)) return "NaN";
    return value < 0 ? "-Infinity" : "Infinity";
}

std::string exact_number(double value) {
    return std::isfinite(value) ? fmt::format("{}", value) : not_finite(value);
}

// A column's name ends in what it counts.
std::string readable_number(std::string_view column, double value) {
    if (!std::isfinite(value)) return not_finite(value);
    const bool is_figure = column.ends_with("accuracy") || column.ends_with("loss") ||
                           column.ends_with("accuracy_low") || column.ends_with("accuracy_high") ||
                           column == "precision" || column == "recall" || column == "f1";
    if (is_figure && std::abs(value) < 1e4) return fmt::format("{:.4f}", value);
    if (column.ends_with("_seconds")) {
        return std::abs(value) >= 1.0 ? fmt::format("{:.1f}", value) : fmt::format("{:.3g}", value);
    }
    if (column.ends_with("per_second")) return fmt::format("{:.0f}", value);
    return fmt::format("{:.6g}", value);
}

std::string csv_text(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string result = "\"";
    for (const char byte : text) {
        if (byte == '"') result += '"';
        result += byte;
    }
    return result + '"';
}

std::string csv_cell(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return csv_text(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *whole);
    if (const auto* real = std::get_if<double>(&cell)) return exact_number(*real);
    return {};
}

// A cell for a person's eyes; `escape` makes text inert.
template <class Escape>
std::string readable_cell(std::string_view column, const Cell& cell, Escape escape) {
    if (const auto* text = std::get_if<std::string>(&cell)) return escape(*text);
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return fmt::format("{}", *whole);
    if (const auto* real = std::get_if<double>(&cell)) return readable_number(column, *real);
    return {};
}

Json json_cell(const Cell& cell) {
    if (const auto* text = std::get_if<std::string>(&cell)) return *text;
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return *whole;
    if (const auto* real = std::get_if<double>(&cell); real != nullptr && std::isfinite(*real)) {
        return *real;
    }
    return nullptr;
}

// Keys of an object: of equal names each but the first with its number.
std::vector<std::string> json_keys(const std::vector<std::string>& columns) {
    std::vector<std::string> keys;
    for (const std::string& column : columns) {
        std::string key = column;
        for (int i = 1; std::ranges::find(keys, key) != keys.end(); ++i)
            key = fmt::format("{}:{}", column, i);
        keys.push_back(std::move(key));
    }
    return keys;
}

Json json_rows(const Table& table) {
    const std::vector<std::string> keys = json_keys(table.columns);
    Json rows = Json::array();
    for (const auto& row : table.rows) {
        Json object = Json::object();
        for (std::size_t i = 0; i < row.size(); ++i) object[keys[i]] = json_cell(row[i]);
        rows.push_back(std::move(object));
    }
    return rows;
}

std::string json_dump(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string joined(const std::vector<std::string>& cells, std::string_view between) {
    return fmt::format("{}", fmt::join(cells, between));
}

std::string csv_table(const Table& table) {
    std::vector<std::string> cells;
    for (const std::string& column : table.columns) cells.push_back(csv_text(column));
    std::string text = joined(cells, ",") + '\n';
    for (const auto& row : table.rows) {
        cells.clear();
        for (const Cell& cell : row) cells.push_back(csv_cell(cell));
        text += joined(cells, ",") + '\n';
    }
    return text;
}

// Every cell as text, the header first.
template <class Escape>
std::vector<std::vector<std::string>> readable_rows(const Table& table, Escape escape) {
    std::vector<std::vector<std::string>> rows(1);
    for (const std::string& column : table.columns) rows[0].push_back(escape(column));
    for (const auto& row : table.rows) {
        std::vector<std::string>& cells = rows.emplace_back();
        for (std::size_t i = 0; i < row.size(); ++i) {
            cells.push_back(readable_cell(table.columns[i], row[i], escape));
        }
    }
    return rows;
}

// Numbers stand to the right: of columns without any text.
std::vector<bool> right_aligned_columns(const Table& table) {
    std::vector<bool> is_right(table.columns.size(), !table.rows.empty());
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) is_right[i] = is_right[i] && !is_text(row[i]);
    }
    return is_right;
}

std::string padded(const std::string& text, std::size_t width, bool is_right) {
    const std::string space(width - std::min(width, display_width(text)), ' ');
    return is_right ? space + text : text + space;
}

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    return widths;
}

constexpr std::string_view kBetween = "  ";

std::string aligned_table(const Table& table) {
    const auto rows = readable_rows(table, terminal_text);
    const std::vector<bool> is_right = right_aligned_columns(table);
    const std::vector<std::size_t> widths = widths_of(rows);
    std::string text;
    for (const auto& row : rows) {
        std::vector<std::string> cells;
        for (std::size_t i = 0; i < row.size(); ++i) {
            cells.push_back(padded(row[i], widths[i], is_right[i]));
        }
        std::string line = joined(cells, kBetween);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + '\n';
        if (&row != &rows.front()) continue;
        std::vector<std::string> rules;
        for (const std::size_t width : widths) rules.emplace_back(width, '-');
        text += joined(rules, kBetween) + '\n';
    }
    return text;
}

std::string markdown_table(const Table& table) {
    const std::vector<bool> is_right = right_aligned_columns(table);
    std::string text;
    const auto rows = readable_rows(table, markdown_text);
    for (const auto& row : rows) {
        text += fmt::format("| {} |\n", fmt::join(row, " | "));
        if (&row != &rows.front()) continue;
        for (const bool right : is_right) text += right ? "| ---: " : "| --- ";
        text += "|\n";
    }
    return text;
}

}  // namespace

std::string markdown_text(std::string_view text) {
    std::string result;
    for (const char byte : terminal_text(text)) {
        switch (byte) {
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '&':
                result += "&amp;";
                break;
            case '|':
            case '`':
            case '*':
            case '[':
            case ']':
            case '\\':
                result += '\\';
                [[fallthrough]];
            default:
                result += byte;
        }
    }
    return result;
}

std::string table_text(const Table& table, TableFormat format) {
    switch (format) {
        case TableFormat::csv:
            return csv_table(table);
        case TableFormat::json:
            return json_dump(json_rows(table));
        case TableFormat::md:
            return markdown_table(table);
        case TableFormat::table:
            break;
    }
    return aligned_table(table);
}

std::string cell_text(std::string_view column, const Cell& cell) {
    return readable_cell(column, cell, terminal_text);
}

std::size_t table_width(const Table& table) {
    std::size_t width = 0;
    for (const std::size_t column : widths_of(readable_rows(table, terminal_text)))
        width += column + kBetween.size();
    return width - std::min(width, kBetween.size());
}

std::string sections_text(const std::vector<Section>& sections, TableFormat format) {
    if (format == TableFormat::csv) {
        throw std::invalid_argument("CSV holds one table, not several sections");
    }
    if (format == TableFormat::json) {
        Json object = Json::object();
        for (const Section& section : sections) object[section.title] = json_rows(section.table);
        return json_dump(object);
    }
    std::string text;
    for (const Section& section : sections) {
        if (!text.empty()) text += '\n';
        text += (format == TableFormat::md ? "## " : "") + section.title + "\n\n";
        text += table_text(section.table, format);
    }
    return text;
}

}  // namespace lockstep::reports
