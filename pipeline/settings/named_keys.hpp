#pragma once

// Tables whose keys depend on a word in them: { name = "adam", ... }, { type = "conv2d", ... }.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pipeline/settings/table_reader.hpp"

namespace lockstep::pipeline {

struct NamedKeys {
    std::string_view name;
    KeyGroup keys;  // that go with it
};

// Where the word stands.
struct WordKey {
    std::string_view key;
    std::string_view called = key;  // what messages call it
};

// Which of them the word at `key` names, which is there; null, and a problem, if it names none.
// Whoever finds the word wrong cannot know the other keys, so they are not looked at.
const NamedKeys* named_by(const Table& table, WordKey key, const std::string& key_prefix,
                          std::span<const NamedKeys> known, ReadContext context);

// The same of words without keys of their own: the place of the word in `known`.
std::optional<std::size_t> named_among(const Table& table, WordKey key,
                                       const std::string& key_prefix,
                                       std::span<const std::string_view> known,
                                       ReadContext context);

// `one of "a", "b"`, for messages.
std::string one_of(std::span<const NamedKeys> known);

}  // namespace lockstep::pipeline
