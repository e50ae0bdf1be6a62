#include "pipeline/verbs/terminal_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <sstream>

#include "pipeline/progress/progress.hpp"
#include "pipeline/progress/standard_output.hpp"
#include "pipeline/progress/terminal_lines.hpp"
#include "reports/tables/column_blocks.hpp"
#include "reports/tables/fitting_table.hpp"
#include "reports/tables/record_text.hpp"
#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {
namespace {

// Lines below a table; in Markdown a list.
std::string notes_text(const std::vector<std::string>& notes, reports::TableFormat format) {
    if (format == reports::TableFormat::table) {
        std::string lines;  // names of classes are a user's text
        for (const std::string& note : notes) lines += terminal_lines(reports::terminal_text(note));
        return lines;
    }
    std::string text = notes.empty() ? "" : "\n";
    for (const std::string& note : notes) {
        const bool is_below = note.starts_with(' ');
        const std::string words = reports::markdown_text(note.substr(note.find_first_not_of(' ')));
        text += (is_below ? "  - " : "- ") + words + '\n';
    }
    return text;
}

// Of a run's state: what needs a look, and what goes on.
std::string_view color_of(std::string_view state) {
    if (state == "failed") return "\x1b[31m";       // red
    if (state == "interrupted") return "\x1b[33m";  // yellow
    return state == "running" ? "\x1b[32m" : "";    // green
}

// Where the characters of a line of UTF-8 begin, and where the last one ends.
std::vector<std::size_t> character_places(std::string_view line) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < line.size(); ++i)
        if ((static_cast<unsigned char>(line[i]) & 0xC0U) != 0x80U) places.push_back(i);
    places.push_back(line.size());
    return places;
}

// Aligned columns with colours in the one called `state`, which begins where its head does.
std::string with_state_colors(const std::string& text) {
    std::istringstream lines(text);
    std::string head, result;
    std::getline(lines, head);
    std::size_t begin = (' ' + head + ' ').find(" state ");
    if (begin == std::string::npos) return text;
    begin = character_places(head.substr(0, begin)).size() - 1;
    result = head + '\n';
    for (std::string line; std::getline(lines, line);) {
        const std::vector<std::size_t> places = character_places(line);
        if (begin + 1 < places.size()) {
            const std::size_t from = places[begin],
                              to = std::min(line.find(' ', from), line.size());
            const std::string_view color = color_of(line.substr(from, to - from));
            if (!color.empty()) line.insert(to, "\x1b[0m").insert(from, color);
        }
        result += line + '\n';
    }
    return result;
}

// As aligned columns, long texts broken into lines; where that has no room, a row below the other.
std::string text_of(const storage::Table& table, std::size_t width) {
    const storage::Table broken = reports::with_broken_lines(table, width);
    if (reports::table_width(broken) > width) return reports::record_text(table, width);
    const std::string text = reports::table_text(broken, reports::TableFormat::table);
    const bool has_color = uses_color(ColorMode::automatic, {.is_terminal = true, .columns = 0});
    return has_color ? with_state_colors(text) : text;
}

// As aligned columns, those that have no room below the others.
std::string blocks_text(const storage::Table& table, std::size_t width) {
    std::string text;
    for (const storage::Table& block : reports::column_blocks(table, width)) {
        if (!text.empty()) text += '\n';
        text += reports::table_text(block, reports::TableFormat::table);
    }
    return text;
}

}  // namespace

bool shows_to_people(reports::TableFormat format) {
    return format == reports::TableFormat::table || format == reports::TableFormat::md;
}

std::string shown_name(const reports::SettingsTable& settings, const std::string& column) {
    const auto& columns = settings.table.columns;
    const auto first = columns.begin() + static_cast<std::ptrdiff_t>(settings.first);
    const bool is_setting = std::find(first, columns.end(), column) != columns.end();
    return is_setting ? reports::short_name(settings, column) : column;
}

void shorten_settings(const reports::SettingsTable& settings, storage::Table& shown) {
    for (std::string& column : shown.columns) column = shown_name(settings, column);
}

void print_fitting(const storage::Table& table, reports::TableFormat format,
                   const Fitting& fitting) {
    if (!shows_to_people(format)) return print(reports::table_text(table, format));
    const storage::Table full = fitting.may_drop ? reports::without_empty_columns(table) : table;
    const std::optional<std::size_t> width = output_width();
    if (!width || format != reports::TableFormat::table) {
        print(reports::table_text(full, format) + notes_text(fitting.notes, format));
        return;
    }
    if (!fitting.may_drop) return print(text_of(full, *width) + notes_text(fitting.notes, format));
    const reports::FittedTable shown =
        reports::fitted(full, *width, fitting.kept, fitting.together);
    print(text_of(shown.table, *width) + notes_text(fitting.notes, format));
    tell_left_out(shown.left_out, fitting.where_the_rest_is);
}

void tell_no_rows(std::size_t of) {
    const std::string text =
        of == 0 ? "there are no runs" : fmt::format("no run of {} matches", of);
    fmt::print(stderr, "{}\n", text);
}

void tell_left_out(std::size_t columns, std::string_view where_the_rest_is) {
    if (columns == 0) return;
    fmt::print(stderr, "{}",
               terminal_lines(fmt::format("{} more column{} had no room; {}", columns,
                                          columns == 1 ? "" : "s", where_the_rest_is)));
}

FittedText fitting_sections(const std::vector<FittingSection>& sections,
                            reports::TableFormat format) {
    const std::optional<std::size_t> width = output_width();
    FittedText result;
    for (const FittingSection& each : sections) {
        const reports::Section section{each.section.title,
                                       reports::without_empty_columns(each.section.table)};
        if (!result.text.empty()) result.text += '\n';
        if (!width || format != reports::TableFormat::table) {
            result.text += reports::sections_text({section}, format);
            continue;
        }
        const reports::FittedTable shown =
            reports::fitted_in_lines(section.table, *width, each.kept);
        const bool fits = reports::table_width(shown.table) <= *width;
        if (fits) result.left_out += shown.left_out;
        result.text += section.title + "\n\n" +
                       (fits ? reports::table_text(shown.table, format)
                             : reports::record_text(section.table, *width));
    }
    return result;
}

std::string whole_sections(const std::vector<reports::Section>& sections,
                           reports::TableFormat format) {
    const std::optional<std::size_t> width = output_width();
    std::string text;
    for (const reports::Section& each : sections) {
        const reports::Section section{each.title, reports::without_empty_columns(each.table)};
        if (!text.empty()) text += '\n';
        const bool is_on_terminal = width && format == reports::TableFormat::table;
        text += is_on_terminal ? section.title + "\n\n" + blocks_text(section.table, *width)
                               : reports::sections_text({section}, format);
    }
    return text;
}

}  // namespace lockstep::pipeline
