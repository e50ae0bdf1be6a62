#include "pipeline/settings/named_keys.hpp"

#include <vector>

namespace lockstep::pipeline {
namespace {

std::vector<std::string_view> names_of(std::span<const NamedKeys> known) {
    std::vector<std::string_view> names;
    for (const NamedKeys& one : known) names.push_back(one.name);
    return names;
}

}  // namespace

const NamedKeys* named_by(const Table& table, std::string_view key, const std::string& key_prefix,
                          std::span<const NamedKeys> known, ReadContext context) {
    Table word_only;
    word_only.set(std::string(key), *table.find(key));
    TableReader reader(word_only, key_prefix, known.front().keys, context);
    const auto index = reader.choice_of(key, names_of(known));
    return index ? &known[*index] : nullptr;
}

std::string one_of(std::span<const NamedKeys> known) { return one_of(names_of(known)); }

}  // namespace lockstep::pipeline
