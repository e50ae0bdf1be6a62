#pragma once

// The tables of a report's files, as a reader sees them.

#include <map>
#include <string>
#include <vector>

namespace lockstep::tests {

using Row = std::vector<std::string>;  // texts of cells, without markup

struct ReportTable {
    std::string title;  // a caption in HTML, a heading in Markdown; empty in CSV
    Row columns;
    std::vector<Row> rows;

    // The cell of a column in the row that begins with `row`. Throws std::out_of_range if there is
    // no such column, or not exactly one such row.
    std::string at(const std::string& row, const std::string& column) const;
};

ReportTable csv_table(const std::string& text);  // without quotes inside of fields
std::vector<ReportTable> markdown_tables(const std::string& text);
// Cells that hold smaller text beneath have it behind a space.
std::vector<ReportTable> html_tables(const std::string& text);

// Those whose title begins so, in their order.
std::vector<ReportTable> titled(const std::vector<ReportTable>& tables, const std::string& title);

}  // namespace lockstep::tests
