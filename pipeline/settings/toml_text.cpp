// TOML text -> toml_tree.hpp's values. The only file that includes toml++.

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <utility>

#include "pipeline/settings/path_text.hpp"
#include "pipeline/settings/toml_depth.hpp"
#include "pipeline/settings/toml_tree.hpp"
#include "pipeline/settings/written_text.hpp"

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kMostKeys = 1000;  // of one table; the longest that is known has 11

class Converter {
public:
    // Values get `base` as their origin; those of a file with their own line and column.
    Converter(Origin base, std::string_view text, Problems& problems)
        : base_(std::move(base)), written_(text), problems_(problems) {}

    Table table(const toml::table& node) {
        if (node.size() > kMostKeys) {
            problems_.add(
                origin_of(node.source()),
                fmt::format("a table of {} keys; at most {} are read", node.size(), kMostKeys));
            return {};
        }
        std::vector<std::pair<const toml::key*, const toml::node*>> in_order;
        for (const auto& [key, value] : node) in_order.emplace_back(&key, &value);
        std::sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) {
            const auto& first = a.first->source().begin;
            const auto& second = b.first->source().begin;
            return std::pair(first.line, first.column) < std::pair(second.line, second.column);
        });
        Table result;
        for (const auto& [key, child] : in_order) {
            const Origin origin = origin_of(key->source());
            refuse_nul(key->str(), origin);
            Value converted = value(*child);
            converted.origin = origin;  // of its key: the line that people look for
            result.append({std::string(key->str()), origin, std::move(converted)});
        }
        return result;
    }

    Value value(const toml::node& node) {
        const Origin origin = origin_of(node.source());
        switch (node.type()) {
            case toml::node_type::table:
                return {origin, table(*node.as_table())};
            case toml::node_type::array:
                return array(*node.as_array(), origin);
            case toml::node_type::string:
                return text(node.as_string()->get(), origin);
            case toml::node_type::integer:
                return {origin, node.as_integer()->get(), written(node)};
            case toml::node_type::boolean:
                return {origin, node.as_boolean()->get()};
            case toml::node_type::floating_point:
                return number(node.as_floating_point()->get(), origin, written(node));
            default:
                return refused(origin, "dates and times have no meaning here");
        }
    }

private:
    Origin origin_of(const toml::source_region& source) const {
        Origin origin = base_;
        if (origin.kind == Origin::Kind::set) return origin;
        origin.line = static_cast<int>(source.begin.line);
        origin.column = static_cast<int>(source.begin.column);
        return origin;
    }

    Value refused(const Origin& origin, std::string message) {
        problems_.add(origin, std::move(message));
        return {origin, Unusable{}};
    }

    bool refuse_nul(std::string_view text, const Origin& origin) {
        if (text.find('\0') == std::string_view::npos) return false;
        problems_.add(origin, "a text must not contain a NUL character");
        return true;
    }

    Value text(const std::string& content, const Origin& origin) {
        if (refuse_nul(content, origin)) return {origin, Unusable{}};
        return {origin, content};
    }

    std::string written(const toml::node& node) const {
        const auto& begin = node.source().begin;
        return written_.number_at({static_cast<int>(begin.line), static_cast<int>(begin.column)});
    }

    Value number(double content, const Origin& origin, std::string written) {
        if (!std::isfinite(content)) return refused(origin, "nan and inf are no settings");
        return {origin, content, std::move(written)};
    }

    Value array(const toml::array& node, const Origin& origin) {
        const auto kind_of = [](const toml::node& element) {
            return element.is_integer() ? toml::node_type::floating_point : element.type();
        };
        const bool is_mixed = std::any_of(node.begin(), node.end(), [&](const toml::node& element) {
            return kind_of(element) != kind_of(*node.begin());
        });
        if (is_mixed)
            return refused(origin,
                           "a list must not mix types; settings of two types are for two [[run]]");
        std::vector<Value> result;
        result.reserve(node.size());
        for (const toml::node& element : node) result.push_back(value(element));
        return {origin, Array(std::move(result))};
    }

    Origin base_;
    WrittenText written_;
    Problems& problems_;
};

std::string one_line(std::string_view text) {
    std::string line(text);
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return line;
}

std::string too_deep() { return fmt::format("nested more than {} levels deep", kMostLevels); }

// What people write without quotes: the word at the place of the error.
std::string quotes_hint(const toml::parse_error& error, std::string_view text) {
    if (error.description().find("could not determine value type") == std::string_view::npos)
        return {};
    std::string_view rest = text;
    for (toml::source_index line = 1; line < error.source().begin.line; ++line)
        rest.remove_prefix(std::min(rest.find('\n'), rest.size() - 1) + 1);
    const std::string_view line = rest.substr(0, rest.find_first_of("\r\n"));
    const std::size_t column = std::min<std::size_t>(error.source().begin.column - 1, line.size());
    const auto is_of_word = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
               c == '.' || c == '/' || c == '~';
    };
    std::size_t begin = column, end = column;
    while (begin > 0 && is_of_word(line[begin - 1])) --begin;
    while (end < line.size() && is_of_word(line[end])) ++end;
    const std::string_view word = line.substr(begin, end - begin);
    return word.empty() ? "; a text stands in quotes"
                        : fmt::format("; a text stands in quotes: \"{}\"", printable(word));
}

}  // namespace

Table parse_toml(std::string_view text, const std::string& file, Problems& problems) {
    if (text.size() > kLargestFile) {
        problems.add(
            {Origin::Kind::file, file, 1, 1},
            fmt::format("the file has more than {} bytes; no more are read", kLargestFile));
        return {};
    }
    if (const auto place = first_too_deep(text, kMostLevels)) {
        problems.add({Origin::Kind::file, file, place->line, place->column}, too_deep());
        return {};
    }
    try {
        const toml::table root = toml::parse(text);
        return Converter({Origin::Kind::file, file, 1, 1}, text, problems).table(root);
    } catch (const toml::parse_error& error) {
        const auto& begin = error.source().begin;
        problems.add({Origin::Kind::file, file, static_cast<int>(begin.line),
                      static_cast<int>(begin.column)},
                     one_line(error.description()) + quotes_hint(error, text));
        return {};
    }
}

Value parse_override_value(std::string_view text, const std::string& override_text,
                           Problems& problems) {
    const Origin origin{Origin::Kind::set, override_text, 0, 0};
    const std::string line = "value = " + std::string(text);
    if (first_too_deep(line, kMostLevels)) {
        problems.add(origin, too_deep());
        return {origin, Unusable{}};
    }
    try {
        const toml::table root = toml::parse(line);
        if (root.size() != 1) {
            problems.add(origin, "one value is expected");
            return {origin, Unusable{}};
        }
        return Converter(origin, line, problems).value(root.begin()->second);
    } catch (const toml::parse_error& error) {
        const bool looks_like_toml =
            text.empty() || std::string_view("\"'[{").find(text[0]) != std::string_view::npos;
        if (!looks_like_toml && text.find_first_of("\r\n") == std::string_view::npos &&
            text.find('\0') == std::string_view::npos) {
            return {origin, std::string(text)};
        }
        problems.add(origin, one_line(error.description()));
        return {origin, Unusable{}};
    }
}

}  // namespace lockstep::pipeline
