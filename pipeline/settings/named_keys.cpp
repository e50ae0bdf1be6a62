#include "pipeline/settings/named_keys.hpp"

#include <array>
#include <vector>

namespace lockstep::pipeline {
namespace {

std::vector<std::string_view> names_of(std::span<const NamedKeys> known) {
    std::vector<std::string_view> names;
    for (const NamedKeys& one : known) names.push_back(one.name);
    return names;
}

}  // namespace

std::optional<std::size_t> named_among(const Table& table, WordKey word,
                                       const std::string& key_prefix,
                                       std::span<const std::string_view> known,
                                       ReadContext context) {
    Table word_only;
    word_only.set(std::string(word.key), *table.find(word.key));
    const std::array only{word.key};
    TableReader reader(word_only, key_prefix, KeyList{"a name", only}, context);
    return reader.choice_of(word.key, known, word.called);
}

const NamedKeys* named_by(const Table& table, WordKey key, const std::string& key_prefix,
                          std::span<const NamedKeys> known, ReadContext context) {
    const auto index = named_among(table, key, key_prefix, names_of(known), context);
    return index ? &known[*index] : nullptr;
}

std::string one_of(std::span<const NamedKeys> known) { return one_of(names_of(known)); }

}  // namespace lockstep::pipeline
