#include "pipeline/settings/toml_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lockstep::pipeline {
namespace {

// The beginning of a text, cut between two characters.
std::string shortened(std::string_view text, std::size_t bytes) {
    if (text.size() <= bytes) return std::string(text);
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0u) == 0x80u) --bytes;
    return std::string(text.substr(0, bytes)) + "...";
}

std::string plain_text(const Table& table) {
    std::string text = "{";
    for (const Entry& entry : table.entries()) {
        text += fmt::format("{}={},", toml_string(entry.key), pipeline::plain_text(entry.value));
    }
    return text + '}';
}

std::string plain_text(const Array& list) {
    std::string text = "[";
    for (const Value& value : list) text += pipeline::plain_text(value) + ',';
    return text + ']';
}

}  // namespace

Array::Array() : Array(std::vector<Value>{}) {}
Array::Array(std::vector<Value> values)
    : values_(std::make_shared<const std::vector<Value>>(std::move(values))) {}
std::size_t Array::size() const { return values_->size(); }
const Value& Array::operator[](std::size_t index) const { return (*values_)[index]; }
const Value* Array::begin() const { return values_->data(); }
const Value* Array::end() const { return values_->data() + values_->size(); }

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

std::string quoted_text(std::string_view text) {
    constexpr std::size_t kShown = 80;  // bytes
    return toml_string(shortened(text, kShown));
}

std::string described(const Value& value) {
    if (!value.written.empty()) return value.written;
    if (const auto* text = value.as<std::string>()) return "the text " + quoted_text(*text);
    if (value.as<Array>()) return "a list";
    if (value.as<Table>()) return "a table";
    return plain_text(value);
}

std::string plain_text(const Value& value) {
    if (const auto* truth = value.as<bool>()) return *truth ? "true" : "false";
    if (const auto* whole = value.as<std::int64_t>()) return fmt::format("{}", *whole);
    if (const auto* number = value.as<double>()) return fmt::format("{}", *number);
    if (const auto* text = value.as<std::string>()) return *text;
    if (const auto* list = value.as<Array>()) return plain_text(*list);
    if (const auto* table = value.as<Table>()) return plain_text(*table);
    return "unusable";
}

}  // namespace lockstep::pipeline
