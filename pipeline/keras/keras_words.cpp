#include "pipeline/keras/keras_words.hpp"

#include <cctype>
#include <cstddef>
#include <nlohmann/json.hpp>

namespace lockstep::pipeline {
namespace {

char upper(char letter) {
    return static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
}

}  // namespace

std::string camel_case(std::string_view word) {
    std::string name;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word[i] == '_') continue;
        name += i == 0 || word[i - 1] == '_' ? upper(word[i]) : word[i];
    }
    return name;
}

std::string_view keras_activation(std::string_view word) {
    return word == "hard_swish" ? "hard_silu" : word;
}

std::string_view our_activation(std::string_view keras_word) {
    if (keras_word == "hard_silu") return "hard_swish";
    if (keras_word == "swish") return "silu";
    return keras_word;
}

bool is_of_keras(trainer::Initializer initializer) {
    return initializer != trainer::Initializer::dirac &&
           initializer != trainer::Initializer::patch_whitening;
}

std::string text_in_message(const nlohmann::ordered_json& value) {
    const std::string text = value.dump(-1, ' ', true);  // ASCII, which can be cut
    return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

}  // namespace lockstep::pipeline
