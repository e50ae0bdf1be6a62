#include "reports/tables/fitting_table.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <sstream>
#include <utility>
#include <variant>
#include <vector>

#include "reports/tables/table_columns.hpp"
#include "reports/tables/table_text.hpp"

namespace lockstep::reports {
namespace {

using storage::Cell;
using storage::Table;

constexpr std::size_t kShortName = 24;   // characters: names are not made shorter than this
constexpr std::size_t kShortBreak = 20;  // nor lines of a broken text: as long as names of figures
constexpr std::string_view kOmission = "...";

bool is_empty(const Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    return text != nullptr ? text->empty() : std::holds_alternative<std::monostate>(cell);
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

// What a word may be broken behind: "train.optimizer.", "a-network-".
bool may_break_behind(char byte) {
    return std::string_view("._-/,").find(byte) != std::string_view::npos;
}

// The pieces of a word between which it may be broken.
std::vector<std::string> pieces_of(const std::string& word) {
    std::vector<std::string> pieces(1);
    for (const char byte : word) {
        pieces.back() += byte;
        if (may_break_behind(byte)) pieces.emplace_back();
    }
    if (pieces.back().empty()) pieces.pop_back();
    return pieces;
}

// A piece that is longer than a line is broken anywhere.
void add_piece(const std::string& piece, std::size_t width, std::vector<std::string>& lines) {
    if (!lines.back().empty() && lines.back().size() + piece.size() > width) lines.emplace_back();
    for (const char byte : piece) {
        if (lines.back().size() >= width && !goes_on(byte)) lines.emplace_back();
        lines.back() += byte;
    }
}

void add_word(const std::string& word, std::size_t width, std::vector<std::string>& lines) {
    const bool has_room = lines.back().empty() || lines.back().size() + 1 + word.size() <= width;
    if (!has_room) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += ' ';
    if (word.size() <= width) {
        lines.back() += word;
        return;
    }
    for (const std::string& piece : pieces_of(word)) add_piece(piece, width, lines);
}

// The row, its texts broken into lines that go on below each other.
void add_broken_row(const std::vector<Cell>& row, std::span<const std::size_t> widths,
                    Table& table) {
    const std::size_t first = table.rows.size();
    table.rows.push_back(row);
    for (std::size_t column = 0; column < row.size(); ++column) {
        const auto* text = std::get_if<std::string>(&row[column]);
        if (text == nullptr || text->size() <= widths[column]) continue;
        const std::vector<std::string> lines = broken_lines(*text, widths[column]);
        if (table.rows.size() < first + lines.size())
            table.rows.resize(first + lines.size(), std::vector<Cell>(row.size()));
        for (std::size_t i = 0; i < lines.size(); ++i) table.rows[first + i][column] = lines[i];
    }
}

Table broken_at(const Table& table, std::span<const std::size_t> widths) {
    Table broken{table.columns, {}};
    for (const std::vector<Cell>& row : table.rows) add_broken_row(row, widths, broken);
    return broken;
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

std::vector<std::string> broken_lines(const std::string& text, std::size_t width) {
    std::vector<std::string> lines(1);
    std::istringstream words(text);
    for (std::string word; words >> word;) add_word(word, width, lines);
    return lines;
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

FittedTable fitted_in_lines(Table table, std::size_t width, std::span<const std::string> kept) {
    FittedTable result{with_broken_lines(table, width), 0};
    for (std::size_t i = table.columns.size(); i-- > 1 && table_width(result.table) > width;) {
        if (std::ranges::find(kept, table.columns[i]) != kept.end()) continue;
        erase_column(table, i);
        ++result.left_out;
        result.table = with_broken_lines(table, width);
    }
    return result;
}

Table with_broken_lines(const Table& table, std::size_t width) {
    Table result = table;
    std::vector<std::size_t> widths(table.columns.size(), std::numeric_limits<std::size_t>::max());
    while (table_width(result) > width) {
        std::size_t widest = 0;
        for (std::size_t i = 1; i < result.columns.size(); ++i)
            if (longest_text(result, i) > longest_text(result, widest)) widest = i;
        const std::size_t length = longest_text(result, widest);
        const std::size_t excess = table_width(result) - width;
        const std::size_t room = std::max(length - std::min(length, excess), kShortBreak);
        if (room >= length) return result;
        widths[widest] = room;
        Table broken = broken_at(table, widths);
        if (longest_text(broken, widest) >= length) return result;  // one character of many bytes
        result = std::move(broken);
    }
    return result;
}

}  // namespace lockstep::reports
