#include "reports/tables/fitting_table.hpp"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "reports/tables/table_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr std::size_t kShortName = 24;   // characters: names are not made shorter than this
constexpr std::size_t kShortBreak = 16;  // nor lines of a broken text
constexpr std::string_view kOmission = "...";

void erase_column(Table& table, std::size_t column) {
    const auto at = static_cast<std::ptrdiff_t>(column);
    table.columns.erase(table.columns.begin() + at);
    for (std::vector<Cell>& row : table.rows) row.erase(row.begin() + at);
}

bool is_empty(const Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    return text != nullptr ? text->empty() : std::holds_alternative<std::monostate>(cell);
}

std::size_t place_of(const Table& table, std::string_view column) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, column) -
                                    table.columns.begin());
}

// Different rows, by the columns at these places.
std::size_t distinct(const Table& table, std::initializer_list<std::size_t> places) {
    std::set<std::vector<Cell>> known;
    for (const std::vector<Cell>& row : table.rows) {
        std::vector<Cell> key;
        for (const std::size_t place : places) key.push_back(row[place]);
        known.insert(std::move(key));
    }
    return known.size();
}

// A byte in the middle of a character of UTF-8.
bool goes_on(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

std::string shortened(const std::string& text, std::size_t length) {
    if (text.size() <= length) return text;
    std::size_t front = (length - kOmission.size() + 1) / 2;
    std::size_t back = text.size() - (length - kOmission.size() - front);
    while (front > 0 && goes_on(text[front])) --front;
    while (back < text.size() && goes_on(text[back])) ++back;
    return text.substr(0, front) + std::string(kOmission) + text.substr(back);
}

std::size_t longest_text(const Table& table, std::size_t column) {
    std::size_t longest = 0;
    for (const std::vector<Cell>& row : table.rows)
        if (const auto* text = std::get_if<std::string>(&row[column]))
            longest = std::max(longest, text->size());
    return longest;
}

// By no more than is needed, and as long as no two become one.
void shorten_names(Table& table, std::size_t width) {
    const std::size_t longest = longest_text(table, 0);
    const std::size_t excess = table_width(table) - width;
    std::size_t length = std::max(longest - std::min(longest, excess), kShortName);
    for (; length < longest; ++length) {
        Table shorter = table;
        for (std::vector<Cell>& row : shorter.rows)
            if (auto* text = std::get_if<std::string>(&row[0])) *text = shortened(*text, length);
        if (distinct(shorter, {0}) < distinct(table, {0})) continue;
        table = std::move(shorter);
        return;
    }
}

// The lines of a text, broken between words, and in words that are longer than a line.
std::vector<std::string> lines_of(const std::string& text, std::size_t width) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width)
            lines.emplace_back();
        if (!lines.back().empty()) lines.back() += ' ';
        for (const char byte : word) {
            if (lines.back().size() >= width && !goes_on(byte)) lines.emplace_back();
            lines.back() += byte;
        }
    }
    return lines;
}

void add_broken_row(const std::vector<Cell>& row, std::size_t column, std::size_t width,
                    Table& table) {
    const auto* text = std::get_if<std::string>(&row[column]);
    if (text == nullptr || text->size() <= width) return table.rows.push_back(row);
    const std::vector<std::string> lines = lines_of(*text, width);
    table.rows.push_back(row);
    table.rows.back()[column] = lines.front();
    for (std::size_t i = 1; i < lines.size(); ++i) {
        table.rows.emplace_back(row.size());
        table.rows.back()[column] = lines[i];
    }
}

}  // namespace

Table without_empty_columns(Table table) {
    if (table.rows.empty()) return table;
    for (std::size_t i = table.columns.size(); i-- > 0;) {
        const bool is_unused =
            std::ranges::all_of(table.rows, [&](const auto& row) { return is_empty(row[i]); });
        if (is_unused) erase_column(table, i);
    }
    return table;
}

std::optional<std::string> tell_apart(Table& table, std::span<const std::string_view> by) {
    if (table.columns.empty() || distinct(table, {0}) == table.rows.size()) return std::nullopt;
    std::optional<std::size_t> chosen;
    for (const std::string_view column : by) {
        const std::size_t place = place_of(table, column);
        if (place == table.columns.size()) continue;
        chosen = place;
        if (distinct(table, {0, place}) == table.rows.size()) break;
    }
    if (!chosen) return std::nullopt;
    const auto move = [&](auto& cells) {
        const auto from = cells.begin() + static_cast<std::ptrdiff_t>(*chosen);
        std::rotate(cells.begin() + 1, from, from + 1);
    };
    if (*chosen > 0) {
        move(table.columns);
        for (std::vector<Cell>& row : table.rows) move(row);
    }
    return table.columns[*chosen > 0 ? 1 : 0];
}

FittedTable fitted(Table table, std::size_t width, std::span<const std::string> kept,
                   const ColumnPairs& together) {
    FittedTable result{std::move(table), 0};
    Table& shown = result.table;
    if (shown.columns.empty() || table_width(shown) <= width) return result;
    Table shorter = shown;
    shorten_names(shorter, width);
    const auto leave = [&](std::size_t column) {
        erase_column(shorter, column);
        erase_column(shown, column);
        ++result.left_out;
    };
    for (std::size_t i = shown.columns.size(); i-- > 1 && table_width(shorter) > width;) {
        if (std::ranges::find(kept, shown.columns[i]) != kept.end()) continue;
        const std::string gone = shown.columns[i];
        leave(i);
        for (const auto& [first, second] : together) {
            const std::size_t alone = place_of(shown, first);
            const bool is_kept = std::ranges::find(kept, first) != kept.end();
            if (second != gone || alone >= i || is_kept) continue;
            leave(alone);
            --i;
        }
    }
    if (table_width(shown) > width) shorten_names(shown, width);
    return result;
}

Table with_broken_lines(const Table& table, std::size_t width) {
    Table result = table;
    while (table_width(result) > width) {
        std::size_t widest = 0;
        for (std::size_t i = 1; i < result.columns.size(); ++i)
            if (longest_text(result, i) > longest_text(result, widest)) widest = i;
        const std::size_t length = longest_text(result, widest);
        const std::size_t excess = table_width(result) - width;
        const std::size_t room = std::max(length - std::min(length, excess), kShortBreak);
        if (room >= length) return result;
        Table broken{result.columns, {}};
        for (const std::vector<Cell>& row : result.rows) add_broken_row(row, widest, room, broken);
        if (longest_text(broken, widest) >= length) return result;  // one character of many bytes
        result = std::move(broken);
    }
    return result;
}

}  // namespace lockstep::reports
