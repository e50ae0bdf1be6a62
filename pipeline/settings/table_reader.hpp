#pragma once

// Reads one table of an experiment file key by key: checks types and ranges, remembers where each
// value came from, and refuses keys that nobody knows.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/settings/keys.hpp"
#include "pipeline/settings/toml_tree.hpp"
#include "pipeline/settings/words.hpp"

namespace lockstep::pipeline {

// What reading fills on the side.
struct ReadContext {
    Problems& problems;
    std::map<std::string, std::string>& origins;  // key of RunSpec::origins -> label_of(origin)
};

struct WholeRange {
    std::int64_t least;
    std::int64_t most;
};

// The type that a number is used in. A number that lies in its range as written may be 0 or 1
// there.
enum class Precision { float32, float64 };

// Real numbers between two bounds, each of them in or out.
struct RealRange {
    double low;
    double high;
    bool has_low = true;
    bool has_high = true;
    Precision precision = Precision::float32;

    bool contains(double value) const;
    std::string text() const;  // "at least 0 and below 1"
    // Why a number in the range cannot be used: ", which is 0 in float32"; empty if it can.
    std::string loss(double value) const;
};

inline constexpr std::int64_t kMostCount = 1'000'000'000'000;  // of samples, steps: no real limit
// What storage::is_safe_name() takes, in words.
inline constexpr const char* kNameRule =
    "1 to 64 letters, digits, '.', '_' or '-', the first none of '.' and '-' (free text goes into "
    "title)";

inline constexpr RealRange kRateFactors{0.0, 1000.0, false, true};  // of learning rates
inline constexpr WholeRange kSeeds{0, INT64_MAX};

// Every reading function returns nothing if the key is absent, or if its value is wrong, which then
// is a problem. The table must outlive the reader.
class TableReader {
public:
    // `key_prefix`: "train.optimizer." or "" (keys of RunSpec::origins). Reports unknown keys.
    TableReader(const Table& table, std::string key_prefix, KeyGroup group, ReadContext context)
        : TableReader(table, std::move(key_prefix), keys_of(group), context) {}
    TableReader(const Table& table, std::string key_prefix, const KeyList& known,
                ReadContext context);

    const Value* find(std::string_view key);  // remembers the origin
    bool has(std::string_view key) const { return table_.find(key) != nullptr; }

    std::optional<std::int64_t> whole(std::string_view key, WholeRange range);
    std::optional<int> count(std::string_view key, int least, int most);
    std::optional<double> real(std::string_view key, RealRange range);
    // A list of numbers; what is no such list is told as that, a number out of its range as itself.
    std::optional<std::vector<double>> reals(std::string_view key, RealRange range);
    std::optional<bool> truth(std::string_view key);
    std::optional<std::string> text(std::string_view key);
    // The text of a path: of a --set it may be no UTF-8.
    std::optional<std::string> bytes(std::string_view key);
    // A number for both axes, or [height, width].
    std::optional<std::array<int, 2>> pair(std::string_view key, int least, int most);

    template <class Choice, std::size_t Count>
    std::optional<Choice> choice(std::string_view key,
                                 const std::array<Word<Choice>, Count>& words) {
        std::array<std::string_view, Count> known;
        for (std::size_t i = 0; i < Count; ++i) known[i] = words[i].word;
        const std::optional<std::size_t> index = choice_of(key, known);
        return index ? std::optional(words[*index].value) : std::nullopt;
    }
    //   called   what a message calls the key, where not by its name
    std::optional<std::size_t> choice_of(std::string_view key,
                                         std::span<const std::string_view> known,
                                         std::string_view called = {});

    // A list of them, or one alone; empty if the key is absent or its value wrong.
    std::vector<std::size_t> choices_of(std::string_view key,
                                        std::span<const std::string_view> known);

    // A wrong value: "KEY must be WHAT, not VALUE", and what more there is to say. None for values
    // that were refused before.
    void must_be(std::string_view key, const Value& value, const std::string& what,
                 const std::string& more = {});
    void problem(const Value& value, const std::string& message, const std::string& detail = {});

    ReadContext& context() { return context_; }
    const std::string& key_prefix() const { return key_prefix_; }

private:
    std::optional<double> real_in(std::string_view key, const Value& value, RealRange range);
    std::optional<std::size_t> index_of(std::string_view key, const Value& value,
                                        std::span<const std::string_view> known);
    void refuse_unknown_keys(const KeyList& known) const;

    const Table& table_;
    std::string key_prefix_;
    ReadContext context_;
};

// `one of "a", "b"`, for messages.
std::string one_of(std::span<const std::string_view> words);

}  // namespace lockstep::pipeline
