#include "pipeline/store/condition_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <initializer_list>
#include <utility>
#include <variant>

#include "pipeline/failure/failure.hpp"
#include "pipeline/settings/suggestion.hpp"
#include "reports/tables/table_columns.hpp"

namespace lockstep::pipeline {
namespace {

using reports::SettingsTable;
using storage::Cell;

// "a or b"; of many the first, and how many more.
std::string listed(const std::vector<std::string>& choices) {
    constexpr std::size_t kMost = 4;
    if (choices.size() <= kMost) return fmt::format("{}", fmt::join(choices, " or "));
    const auto first = choices.begin();
    return fmt::format("{} or {} others", fmt::join(first, first + kMost, " or "),
                       choices.size() - kMost);
}

// A condition is about columns, and each layer has its own.
std::string hint_for(const std::vector<std::string>& choices, const std::string& text) {
    const bool are_layers = std::ranges::all_of(
        choices, [](const std::string& key) { return key.starts_with("layers."); });
    if (!are_layers) return "";
    return fmt::format(
        "; of any layer: lockstep query \"select distinct name, value from v_settings where key "
        "like 'layers.%.{}'\"",
        text);
}

bool begins_word(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool goes_on(char c) {
    return begins_word(c) || std::isdigit(static_cast<unsigned char>(c)) != 0 || c == '.';
}

// Every setting that there is, by its key and by the short name that it is shown under.
std::vector<std::string> known_names(const SettingsTable& settings) {
    const auto& columns = settings.table.columns;
    std::vector<std::string> names(columns.begin(), columns.end());
    for (std::size_t i = settings.first; i < columns.size(); ++i)
        names.push_back(reports::short_name(settings, columns[i]));
    return names;
}

bool is_column(const SettingsTable& settings, const std::string& name) {
    return reports::place_of(settings.table, name) < settings.table.columns.size();
}

// A setting that is true or false in every run that has it.
bool is_truth_value(const SettingsTable& settings, const std::string& column) {
    const std::size_t place = reports::place_of(settings.table, column);
    if (place < settings.first || place == settings.table.columns.size()) return false;
    const Cell yes{std::string("true")}, no{std::string("false")};
    bool has_any = false;
    for (const auto& row : settings.table.rows) {
        const Cell& cell = row[place];
        if (std::holds_alternative<std::monostate>(cell)) continue;
        if (cell != yes && cell != no) return false;
        has_any = true;
    }
    return has_any;
}

// Reads a condition piece by piece: words, quoted names, texts, and what stands between.
class ConditionReader {
public:
    ConditionReader(const SettingsTable& settings, const std::string& where)
        : settings_(settings), where_(where) {}

    Condition read() {
        while (at_ < where_.size()) condition_.sql += replaced(next_piece());
        return std::move(condition_);
    }

private:
    std::string next_piece() {
        const std::size_t begin = at_;
        const char first = where_[at_++];
        if (std::string_view("'\"`[").find(first) != std::string_view::npos) {
            at_ = end_of_quoted(first == '[' ? ']' : first);
        } else if (where_.compare(begin, 2, "--") == 0) {
            at_ = std::min(where_.find('\n', at_), where_.size());
        } else if (goes_on(first)) {  // a word, or a number with what belongs to it
            while (at_ < where_.size() && goes_on(where_[at_])) ++at_;
        }
        return where_.substr(begin, at_ - begin);
    }

    // A quote that is doubled is one of the text.
    std::size_t end_of_quoted(char close) const {
        std::size_t end = where_.find(close, at_);
        while (end != std::string::npos && close != ']' && end + 1 < where_.size() &&
               where_[end + 1] == close)
            end = where_.find(close, end + 2);
        return end == std::string::npos ? where_.size() : end + 1;
    }

    std::string replaced(const std::string& piece) {
        if (begins_word(piece.front())) return of_word(piece);
        const bool is_name = std::string_view("\"`[").find(piece.front()) != std::string_view::npos;
        if (is_name && piece.size() > 2) return of_name(piece);
        if (follows_truth_value_ && piece == "'true'") return "true";
        if (follows_truth_value_ && piece == "'false'") return "false";
        return piece;
    }

    std::string of_word(const std::string& word) {
        constexpr std::array<std::string_view, 2> kTables{"v_runs.", "compared."};
        std::string name = word;
        for (const std::string_view table : kTables)
            if (word.starts_with(table)) name = word.substr(table.size());
        const std::string column = meant(settings_, "--where", name);
        if (is_column(settings_, column)) return of_column(column, column == name ? word : "");
        const bool is_of_comparison = is_any_of(word, {"is", "not", "in"});
        follows_truth_value_ = follows_truth_value_ && is_of_comparison;
        if (name.find('.') == std::string::npos || name != word) return word;
        const std::vector<std::string> names = known_names(settings_);
        const std::vector<std::string_view> known(names.begin(), names.end());
        throw UsageError(
            fmt::format("--where: no run has a setting \"{}\"{}", word, did_you_mean(word, known)));
    }

    // "train.batch_size", [train.batch_size] or `train.batch_size`.
    std::string of_name(const std::string& piece) {
        const std::string column = meant(settings_, "--where", piece.substr(1, piece.size() - 2));
        return is_column(settings_, column) ? of_column(column, piece) : piece;
    }

    // `written`: how it may stay, where it is no setting; "": it may not.
    std::string of_column(const std::string& column, const std::string& written) {
        auto& columns = condition_.columns;
        if (std::ranges::find(columns, column) == columns.end()) columns.push_back(column);
        follows_truth_value_ = is_truth_value(settings_, column);
        if (follows_truth_value_) return "(\"" + column + "\" = 'true')";
        const bool is_setting = reports::place_of(settings_.table, column) >= settings_.first;
        return is_setting || written.empty() ? '"' + column + '"' : written;
    }

    static bool is_any_of(std::string word, std::initializer_list<std::string_view> words) {
        std::ranges::transform(word, word.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        return std::ranges::find(words, word) != words.end();
    }

    const SettingsTable& settings_;
    const std::string& where_;
    std::size_t at_ = 0;
    bool follows_truth_value_ = false;  // nothing but an operator stands in between
    Condition condition_;
};

}  // namespace

std::string meant(const SettingsTable& settings, std::string_view option, const std::string& text) {
    const reports::MeantColumn column = reports::meant_column(settings, text);
    if (column.choices.empty()) return column.found.empty() ? text : column.found;
    throw UsageError(fmt::format("{}: \"{}\" may mean {}{}", option, text, listed(column.choices),
                                 hint_for(column.choices, text)));
}

Condition condition_of(const SettingsTable& settings, const std::string& where) {
    return ConditionReader(settings, where).read();
}

}  // namespace lockstep::pipeline
