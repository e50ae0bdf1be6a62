#include "pipeline/settings/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLongestWord = 64;  // of user input; anything longer resembles nothing
constexpr std::size_t kShortestAbbreviation = 3;
constexpr std::size_t kMostKnown = 1000;  // that are looked at

char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
}

// Optimal string alignment distance, row by row.
std::size_t edits(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool is_equal = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (is_equal ? 0 : 1)});
            const bool is_swap = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                                 lower(a[i - 2]) == lower(b[j - 1]);
            if (is_swap) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

// "val_acc" of "val_accuracy", "maxpool2d" of "max_pooling2d": its letters, in their order.
bool abbreviates(std::string_view word, std::string_view whole) {
    if (word.size() < kShortestAbbreviation || whole.empty() || lower(word[0]) != lower(whole[0]))
        return false;
    std::size_t found = 0;
    for (const char letter : whole)
        if (found < word.size() && lower(letter) == lower(word[found])) ++found;
    return found == word.size();
}

// The shortest that it may stand for.
std::optional<std::string_view> abbreviated(std::string_view word,
                                            std::span<const std::string_view> known) {
    std::optional<std::string_view> shortest;
    for (const std::string_view candidate : known)
        if (abbreviates(word, candidate) && (!shortest || candidate.size() < shortest->size()))
            shortest = candidate;
    return shortest;
}

struct Synonym {
    std::string_view word, known;
};
// Of Keras, PyTorch and scikit-learn.
constexpr std::array<Synonym, 23> kSynonyms{{{"lr", "learning_rate"},
                                             {"betas", "beta_1"},
                                             {"eps", "epsilon"},
                                             {"wd", "weight_decay"},
                                             {"swish", "silu"},
                                             {"hardswish", "hard_swish"},
                                             {"training", "train"},
                                             {"seeds", "seed"},
                                             {"random_state", "seed"},
                                             {"num_epochs", "epochs"},
                                             {"max_epochs", "epochs"},
                                             {"n_epochs", "epochs"},
                                             {"bs", "batch_size"},
                                             {"validation_split", "validation"},
                                             {"validation_data", "validation"},
                                             {"scheduler", "schedule"},
                                             {"lr_schedule", "schedule"},
                                             {"out_channels", "filters"},
                                             {"channels", "filters"},
                                             {"out_features", "units"},
                                             {"stride", "strides"},
                                             {"dilation", "dilation_rate"},
                                             {"p", "rate"}}};

std::optional<std::string_view> of_others(std::string_view word,
                                          std::span<const std::string_view> known) {
    for (const Synonym& synonym : kSynonyms)
        if (word == synonym.word && std::ranges::find(known, synonym.known) != known.end())
            return synonym.known;
    return std::nullopt;
}

}  // namespace

std::optional<std::string_view> suggestion(std::string_view word,
                                           std::span<const std::string_view> known) {
    if (word.empty() || word.size() > kLongestWord) return std::nullopt;
    if (const auto meant = of_others(word, known)) return meant;
    std::size_t fewest = std::max<std::size_t>(word.size() / 3, 1) + 1;
    std::optional<std::string_view> nearest;
    for (const std::string_view candidate : known.first(std::min(known.size(), kMostKnown))) {
        const std::size_t distance = edits(word, candidate);
        if (distance >= fewest || distance >= candidate.size()) continue;
        fewest = distance;
        nearest = candidate;
    }
    return nearest ? nearest : abbreviated(word, known.first(std::min(known.size(), kMostKnown)));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    const auto nearest = suggestion(word, known);
    return nearest ? fmt::format("; did you mean \"{}\"?", *nearest) : std::string();
}

}  // namespace lockstep::pipeline
