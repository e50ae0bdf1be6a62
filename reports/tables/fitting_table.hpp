#pragma once

// Tables as a line of so many characters has room for them. They stay tables: table_text() prints.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/records/records.hpp"

namespace lockstep::reports {

// Without the columns in which no row has anything; "" is nothing. Without rows all stay.
storage::Table without_empty_columns(storage::Table table);

// Where texts of the first column repeat, moves the first of the columns `by` behind it that tells
// such rows apart, or the last one there is. Returns the column's name; nothing where none repeats.
std::optional<std::string> tell_apart(storage::Table& table, std::span<const std::string_view> by);

struct FittedTable {
    storage::Table table;
    std::size_t left_out = 0;  // columns
};

// Columns that say little without each other: where the second leaves, so does the first.
using ColumnPairs = std::vector<std::pair<std::string, std::string>>;

// At most `width` characters wide, if that can be. Texts of the first column are shortened in the
// middle as far as they still differ; then columns leave, from the right. The first column and
// those of `kept` stay, though they be too wide together.
FittedTable fitted(storage::Table table, std::size_t width, std::span<const std::string> kept,
                   const ColumnPairs& together = {});

// The same columns: texts that are too long go on in further rows, whose other cells are empty.
storage::Table with_broken_lines(const storage::Table& table, std::size_t width);

// fitted() for tables of long texts: these are broken into lines instead of shortened, and columns
// leave only where that is not enough.
FittedTable fitted_in_lines(storage::Table table, std::size_t width,
                            std::span<const std::string> kept);

// Broken between words; a word that is longer than a line behind '.', '_', '-', '/' or ',' where it
// has one, else anywhere. One line at least.
std::vector<std::string> broken_lines(const std::string& text, std::size_t width);

}  // namespace lockstep::reports
