#include "pipeline/settings/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "pipeline/settings/path_text.hpp"
#include "pipeline/settings/suggestion.hpp"

namespace lockstep::pipeline {
namespace {

std::string whole_range_text(WholeRange range) {
    if (range.most == INT64_MAX || range.most == kMostCount) {
        return fmt::format("a whole number, at least {}", range.least);
    }
    return fmt::format("a whole number from {} to {}", range.least, range.most);
}

bool is_in(WholeRange range, const std::int64_t* value) {
    return value != nullptr && *value >= range.least && *value <= range.most;
}

// `1e3` is a real number in TOML, whatever it is worth.
std::string whole_hint(WholeRange range, const double* real) {
    if (!real || *real != std::trunc(*real) || std::abs(*real) > 1e15) return {};
    const auto whole = static_cast<std::int64_t>(*real);
    return is_in(range, &whole) ? fmt::format("; write {}", whole) : std::string();
}

// 1e-400 is read as 0.
bool is_written_nonzero(std::string_view number) {
    return number.substr(0, number.find_first_of("eE")).find_first_of("123456789") !=
           std::string_view::npos;
}

// Of what Keras' compile() and fit() are told, and no experiment file.
std::string word_of_keras(std::string_view key) {
    if (key == "loss")
        return "; there is one loss, Keras' sparse categorical crossentropy: leave the line out";
    if (key == "metrics") return "; loss and accuracy are always measured: leave the line out";
    if (key == "callbacks")
        return "; what Keras has callbacks for are keys: early_stopping, schedule, [checkpoint]";
    return {};
}

// Where a key belongs that stands in [train], but is one of the tables in it.
std::string table_of(const std::string& key, const KeyList& known) {
    if (&known != &keys_of(KeyGroup::train)) return {};
    const auto is_in = [&](KeyGroup group) {
        const auto& keys = keys_of(group).keys;
        return std::ranges::find(keys, key) != keys.end();
    };
    for (const KeyGroup group :
         {KeyGroup::optimizer_sgd, KeyGroup::optimizer_adam, KeyGroup::optimizer_rmsprop})
        if (is_in(group))
            return fmt::format(
                "; it belongs to the optimizer: optimizer = {{ name = ..., {} = ... }}", key);
    if (is_in(KeyGroup::early_stopping))
        return fmt::format("; it belongs to early_stopping, or to [checkpoint]");
    return word_of_keras(key);
}

}  // namespace

bool RealRange::contains(double value) const {
    return (has_low ? value >= low : value > low) && (has_high ? value <= high : value < high);
}

std::string RealRange::text() const {
    return fmt::format("a number {} {} and {} {}", has_low ? "of at least" : "above", low,
                       has_high ? "at most" : "below", high);
}

std::string RealRange::loss(double value) const {
    if (precision == Precision::float64) return {};
    const auto used = static_cast<float>(value);
    const bool is_normal = std::isnormal(used) || value == 0.0;
    if (!is_normal) return ", which is 0 in float32";  // denormals are flushed, or all but useless
    const auto rounded = static_cast<double>(used);
    return contains(rounded) ? std::string() : fmt::format(", which is {} in float32", rounded);
}

std::string one_of(std::span<const std::string_view> words) {
    std::string text = "one of ";
    for (std::size_t i = 0; i < words.size(); ++i) {
        text += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", words[i]);
    }
    return text;
}

TableReader::TableReader(const Table& table, std::string key_prefix, const KeyList& known,
                         ReadContext context)
    : table_(table), key_prefix_(std::move(key_prefix)), context_(context) {
    refuse_unknown_keys(known);
}

void TableReader::refuse_unknown_keys(const KeyList& known) const {
    for (const Entry& entry : table_.entries()) {
        if (std::find(known.keys.begin(), known.keys.end(), entry.key) != known.keys.end())
            continue;
        std::string hint = table_of(entry.key, known);
        if (entry.key == "sweep") hint = "; [sweep] stands beside the runs, one for all of them";
        if (hint.empty()) hint = did_you_mean(entry.key, known.keys);
        if (hint.empty())
            hint = fmt::format("; known in {}: {}", known.table, fmt::join(known.keys, ", "));
        context_.problems.add(entry.origin,
                              fmt::format("unknown key {}{}", quoted_text(entry.key), hint));
    }
}

const Value* TableReader::find(std::string_view key) {
    const Value* value = table_.find(key);
    if (!value) return nullptr;
    context_.origins[key_prefix_ + std::string(key)] = label_of(value->origin);
    if (value->as<Unusable>()) context_.problems.add_again();
    return value;
}

void TableReader::must_be(std::string_view key, const Value& value, const std::string& what,
                          const std::string& more) {
    if (value.as<Unusable>()) return;
    problem(value, fmt::format("{} must be {}, not {}{}", key, what, described(value), more));
}

void TableReader::problem(const Value& value, const std::string& message,
                          const std::string& detail) {
    context_.problems.add(value.origin, message, detail);
}

std::optional<std::int64_t> TableReader::whole(std::string_view key, WholeRange range) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    const auto* number = value->as<std::int64_t>();
    if (is_in(range, number)) return *number;
    // An upper bound beyond all use is told to those alone who pass it.
    const std::string must = number && *number > range.most && range.most == kMostCount
                                 ? fmt::format("at most {}", range.most)
                                 : whole_range_text(range);
    must_be(key, *value, must, whole_hint(range, value->as<double>()));
    return std::nullopt;
}

std::optional<int> TableReader::count(std::string_view key, int least, int most) {
    const auto number = whole(key, {least, most});
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<double> TableReader::real(std::string_view key, RealRange range) {
    const Value* value = find(key);
    return value ? real_in(key, *value, range) : std::nullopt;
}

std::optional<std::vector<double>> TableReader::reals(std::string_view key, RealRange range) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    const auto* list = value->as<Array>();
    if (!list) {
        must_be(key, *value, "a list of numbers");
        return std::nullopt;
    }
    std::vector<double> numbers;
    for (const Value& element : *list)
        if (const auto number = real_in(key, element, range)) numbers.push_back(*number);
    return numbers.size() == list->size() ? std::optional(numbers) : std::nullopt;
}

std::optional<double> TableReader::real_in(std::string_view key, const Value& value,
                                           RealRange range) {
    std::optional<double> number;
    if (const auto* real = value.as<double>()) number = *real;
    if (const auto* whole = value.as<std::int64_t>()) number = static_cast<double>(*whole);
    const bool is_in_range = number && range.contains(*number);
    std::string loss = is_in_range ? range.loss(*number) : std::string();
    if (number && *number == 0.0 && is_written_nonzero(value.written)) loss = ", which is 0";
    if (is_in_range && loss.empty()) return number;
    must_be(key, value, range.text(), loss);
    return std::nullopt;
}

std::optional<bool> TableReader::truth(std::string_view key) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    if (const auto* truth = value->as<bool>()) return *truth;
    must_be(key, *value, "true or false");
    return std::nullopt;
}

std::optional<std::string> TableReader::text(std::string_view key) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    const auto* text = value->as<std::string>();
    if (text && is_utf8(*text)) return *text;
    must_be(key, *value, text ? "a text in UTF-8" : "a text in quotes");
    return std::nullopt;
}

std::optional<std::string> TableReader::bytes(std::string_view key) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    if (const auto* text = value->as<std::string>()) return *text;
    must_be(key, *value, "a text in quotes");
    return std::nullopt;
}

std::optional<std::array<int, 2>> TableReader::pair(std::string_view key, int least, int most) {
    const Value* value = find(key);
    if (!value) return std::nullopt;
    const WholeRange range{least, most};
    if (const auto* both = value->as<std::int64_t>(); is_in(range, both)) {
        return std::array{static_cast<int>(*both), static_cast<int>(*both)};
    }
    if (const auto* list = value->as<Array>(); list && list->size() == 2) {
        const auto* height = (*list)[0].as<std::int64_t>();
        const auto* width = (*list)[1].as<std::int64_t>();
        if (is_in(range, height) && is_in(range, width)) {
            return std::array{static_cast<int>(*height), static_cast<int>(*width)};
        }
    }
    must_be(key, *value, whole_range_text(range) + ", or [height, width] of such numbers");
    return std::nullopt;
}

std::optional<std::size_t> TableReader::choice_of(std::string_view key,
                                                  std::span<const std::string_view> known,
                                                  std::string_view called) {
    const Value* value = find(key);
    return value ? index_of(called.empty() ? key : called, *value, known) : std::nullopt;
}

std::vector<std::size_t> TableReader::choices_of(std::string_view key,
                                                 std::span<const std::string_view> known) {
    const Value* value = find(key);
    if (!value) return {};
    std::vector<std::size_t> chosen;
    const auto take = [&](const Value& element) {
        if (const auto index = index_of(key, element, known)) chosen.push_back(*index);
    };
    if (const auto* list = value->as<Array>())
        std::ranges::for_each(*list, take);
    else
        take(*value);
    return chosen;
}

std::optional<std::size_t> TableReader::index_of(std::string_view key, const Value& value,
                                                 std::span<const std::string_view> known) {
    const auto* word = value.as<std::string>();
    if (!word) {
        must_be(key, value, one_of(known));
        return std::nullopt;
    }
    const auto found = std::find(known.begin(), known.end(), *word);
    if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
    problem(value, fmt::format("{} must be {}, not {}{}", key, one_of(known), quoted_text(*word),
                               did_you_mean(*word, known)));
    return std::nullopt;
}

}  // namespace lockstep::pipeline
