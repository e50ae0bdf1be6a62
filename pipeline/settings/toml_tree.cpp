#include "pipeline/settings/toml_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::pipeline {

const Value* Table::find(std::string_view key) const {
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [key](const Entry& one) { return one.key == key; });
    return entry == entries_.end() ? nullptr : &entry->value;
}

Value* Table::find(std::string_view key) {
    return const_cast<Value*>(std::as_const(*this).find(key));
}

void Table::set(const std::string& key, Value value) {
    Origin origin = value.origin;
    const auto entry = std::find_if(entries_.begin(), entries_.end(),
                                    [&key](const Entry& one) { return one.key == key; });
    if (entry == entries_.end()) {
        entries_.push_back({key, std::move(origin), std::move(value)});
    } else {
        *entry = {key, std::move(origin), std::move(value)};
    }
}

void Table::append(Entry entry) { entries_.push_back(std::move(entry)); }

void Table::erase(std::string_view key) {
    std::erase_if(entries_, [key](const Entry& entry) { return entry.key == key; });
}

std::string toml_string(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '"' || letter == '\\') {
            result += '\\';
            result += letter;
        } else if (byte < 0x20 || byte == 0x7f) {
            result += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
        } else {
            result += letter;
        }
    }
    return result + '"';
}

std::string described(const Value& value) {
    constexpr std::size_t kShown = 60;  // of a long text
    if (const auto* truth = value.as<bool>()) return *truth ? "true" : "false";
    if (const auto* whole = value.as<std::int64_t>()) return fmt::format("{}", *whole);
    if (const auto* number = value.as<double>()) return fmt::format("{}", *number);
    if (const auto* text = value.as<std::string>()) {
        return "the text " +
               toml_string(text->size() > kShown ? text->substr(0, kShown) + "..." : *text);
    }
    return value.as<Array>() ? "a list" : "a table";
}

}  // namespace lockstep::pipeline
