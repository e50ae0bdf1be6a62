#include "pipeline/experiment/layer_inputs.hpp"

#include <fmt/format.h>

#include "pipeline/settings/suggestion.hpp"

namespace lockstep::pipeline {

namespace {

constexpr std::size_t kMostInputs = 100;

}  // namespace

std::vector<trainer::ValueNumber> LayerInputs::read(TableReader& reader, std::size_t number) {
    const Value* inputs = reader.find("inputs");
    if (!inputs || inputs->as<Unusable>()) return {};
    std::vector<trainer::ValueNumber> sources;
    const Array* list = inputs->as<Array>();
    if (list && (list->empty() || list->size() > kMostInputs)) {
        reader.must_be("inputs", *inputs, fmt::format("1 to {} names of layers", kMostInputs));
    } else if (list) {
        sources = read_list(*list);
    } else if (inputs->as<std::string>()) {
        sources = {number_of(*inputs)};
    } else {
        reader.must_be("inputs", *inputs,
                       "the name of a layer in front of it, a list of such names, or \"input\"");
    }
    // What is written and what is understood without it are one network.
    return sources == std::vector<trainer::ValueNumber>{number}
               ? std::vector<trainer::ValueNumber>{}
               : sources;
}

std::vector<trainer::ValueNumber> LayerInputs::read_list(const Array& names) {
    std::vector<trainer::ValueNumber> sources;
    for (const Value& name : names) sources.push_back(number_of(name));
    return sources;
}

trainer::ValueNumber LayerInputs::number_of(const Value& name) {
    const auto* text = name.as<std::string>();
    const auto found = text ? numbers_.find(*text) : numbers_.end();
    if (found != numbers_.end()) return found->second;
    if (!text) {
        problems_.add(name.origin,
                      fmt::format("inputs are names of layers, not {}", described(name)));
        return 0;
    }
    std::vector<std::string_view> known;
    for (const auto& entry : numbers_) known.push_back(entry.first);
    problems_.add(name.origin,
                  fmt::format("no layer in front of it is named {}{}; \"input\" is the image",
                              quoted_text(*text), did_you_mean(*text, known)));
    return 0;
}

}  // namespace lockstep::pipeline
