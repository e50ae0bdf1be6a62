#include "tests/end_to_end/report_tables.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace lockstep::tests {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

std::string trimmed(const std::string& text) {
    const std::size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// "| a | b |" -> a, b
Row markdown_row(const std::string& line) {
    Row cells = split(line, '|');
    cells.erase(cells.begin());
    cells.pop_back();
    std::transform(cells.begin(), cells.end(), cells.begin(), trimmed);
    return cells;
}

// What lies between `begin` and `end`, from `place` on; moves `place` behind it. Empty where there
// is no more.
std::string_view next_between(std::string_view text, std::string_view begin, std::string_view end,
                              std::size_t& place) {
    const std::size_t first = text.find(begin, place);
    if (first == std::string_view::npos) return {};
    const std::size_t last = text.find(end, first);
    if (last == std::string_view::npos) throw std::runtime_error("HTML that is not closed");
    place = last + end.size();
    return text.substr(first, place - first);
}

// Each tag as a space, but where a word may be broken; spaces that meet are one.
std::string without_tags(std::string_view html) {
    constexpr std::string_view kBreak = "<wbr>";
    std::string text;
    bool is_in_tag = false;
    for (std::size_t i = 0; i < html.size(); ++i) {
        if (html.substr(i).starts_with(kBreak)) {
            i += kBreak.size() - 1;
            continue;
        }
        const char c = html[i];
        const bool is_space = c == ' ' || c == '<';
        if (c == '<') is_in_tag = true;
        if (is_space && !text.empty() && text.back() != ' ') text += ' ';
        if (!is_in_tag && !is_space) text += c;
        if (c == '>') is_in_tag = false;
    }
    return trimmed(text);
}

Row html_row(std::string_view row) {
    Row cells;
    std::size_t place = 0;
    while (true) {
        const std::size_t cell = std::min(row.find("<td", place), row.find("<th", place));
        if (cell == std::string_view::npos) return cells;
        const bool is_header = row.substr(cell, 3) == "<th";
        place = cell;
        cells.push_back(without_tags(
            next_between(row, row.substr(cell, 3), is_header ? "</th>" : "</td>", place)));
    }
}

ReportTable html_table(std::string_view html) {
    ReportTable table;
    std::size_t place = 0;
    table.title = without_tags(next_between(html, "<caption", "</caption>", place));
    for (std::string_view row; !(row = next_between(html, "<tr", "</tr>", place)).empty();) {
        if (table.columns.empty())
            table.columns = html_row(row);
        else
            table.rows.push_back(html_row(row));
    }
    return table;
}

// Of a line of CSV; none of ours has a quote or a line's end inside of a quoted field.
Row csv_fields(const std::string& line) {
    Row fields{""};
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char byte = line[i];
        if (byte == '"') {  // a second one right behind stands for itself
            if (is_quoted && line.substr(i + 1, 1) == "\"")
                fields.back() += line[i++];
            else
                is_quoted = !is_quoted;
        } else if (byte == ',' && !is_quoted) {
            fields.emplace_back();
        } else {
            fields.back() += byte;
        }
    }
    return fields;
}

}  // namespace

std::string ReportTable::at(const std::string& row, const std::string& column) const {
    const auto is_meant = [&](const Row& each) { return !each.empty() && each.front() == row; };
    const auto found = std::find_if(rows.begin(), rows.end(), is_meant);
    const auto place = std::find(columns.begin(), columns.end(), column);
    if (std::count_if(rows.begin(), rows.end(), is_meant) != 1 || place == columns.end()) {
        throw std::out_of_range("no single cell " + row + ", " + column + " in " + title);
    }
    return found->at(static_cast<std::size_t>(place - columns.begin()));
}

ReportTable csv_table(const std::string& text) {
    ReportTable table;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (table.columns.empty())
            table.columns = csv_fields(line);
        else
            table.rows.push_back(csv_fields(line));
    }
    return table;
}

std::vector<ReportTable> markdown_tables(const std::string& text) {
    std::vector<ReportTable> tables;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("## ")) tables.push_back({line.substr(3), {}, {}});
        if (!line.starts_with("| ") || line.starts_with("| ---")) continue;
        if (tables.back().columns.empty())
            tables.back().columns = markdown_row(line);
        else
            tables.back().rows.push_back(markdown_row(line));
    }
    return tables;
}

std::vector<ReportTable> html_tables(const std::string& text) {
    std::vector<ReportTable> tables;
    std::size_t place = 0;
    for (std::string_view html; !(html = next_between(text, "<table", "</table>", place)).empty();)
        tables.push_back(html_table(html));
    return tables;
}

std::vector<ReportTable> titled(const std::vector<ReportTable>& tables, const std::string& title) {
    std::vector<ReportTable> found;
    std::copy_if(tables.begin(), tables.end(), std::back_inserter(found),
                 [&](const ReportTable& table) { return table.title.starts_with(title); });
    return found;
}

}  // namespace lockstep::tests
