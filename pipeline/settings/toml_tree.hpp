#pragma once

// The text of an experiment file as a tree of plain values that know where they come from. They
// can be copied and laid over one another without losing that, which toml++'s nodes can not.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/settings/problems.hpp"

namespace lockstep::pipeline {

struct Value;
struct Entry;

// A list of values that never changes and whose copies share it: every run of a file copies the
// settings it inherits, and a list of layers or seeds may be long.
class Array {
public:
    Array();
    explicit Array(std::vector<Value> values);

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    const Value& operator[](std::size_t index) const;
    const Value* begin() const;
    const Value* end() const;

private:
    std::shared_ptr<const std::vector<Value>> values_;
};

// Keys in the order of the file.
class Table {
public:
    const Value* find(std::string_view key) const;
    Value* find(std::string_view key);
    void set(const std::string& key, Value value);  // replaces, or appends
    void append(Entry entry);                       // of a key that is not there yet
    void erase(std::string_view key);
    const std::vector<Entry>& entries() const { return entries_; }

private:
    std::vector<Entry> entries_;
};

struct Unusable {};  // a value that was refused already, and that nobody needs to refuse again

struct Value {
    Origin origin;
    std::variant<Unusable, bool, std::int64_t, double, std::string, Array, Table> content;
    std::string written{};  // a number as the text has it, "1e3"; empty where nobody wrote it

    template <class Type>
    const Type* as() const {
        return std::get_if<Type>(&content);
    }
    template <class Type>
    Type* as() {
        return std::get_if<Type>(&content);
    }
};

struct Entry {
    std::string key;
    Origin origin;  // of the key
    Value value;
};

// Parses the text of an experiment file. What is no TOML, and what TOML allows and no experiment
// needs (nan, inf, dates, arrays of mixed types, NUL in texts, deep nesting, huge tables), goes to
// `problems`; a syntax error leaves an empty table.
Table parse_toml(std::string_view text, const std::string& file, Problems& problems);

// Parses the value of `--set key=value`; `override_text` names the whole of it. A bare word that is
// no TOML is taken as text.
Value parse_override_value(std::string_view text, const std::string& override_text,
                           Problems& problems);

inline constexpr std::size_t kLargestFile = std::size_t{1} << 20;  // bytes of an experiment file
inline constexpr int kMostLevels = 32;  // of nesting; what an experiment file needs is 5

// A text as a TOML string on one line: quotes, backslashes and control characters escaped.
std::string toml_string(std::string_view text);

// The same for a message: of a long text only the beginning.
std::string quoted_text(std::string_view text);

// A value in an error message, as it was written: `the text "10"`, `1e3`, `a list`.
std::string described(const Value& value);

// The same text for the same value, and another for any other: however a number was written, it is
// printed as `fmt` does. Texts are printed bare.
std::string plain_text(const Value& value);

}  // namespace lockstep::pipeline
