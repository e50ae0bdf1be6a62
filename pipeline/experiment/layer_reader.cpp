#include "pipeline/experiment/layer_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace lockstep::pipeline {
namespace {

// [above, below] of one axis: a number for both, or two.
std::optional<std::array<int, 2>> border_of(const Value& value, WholeRange range) {
    const auto side = [range](const Value& one) -> std::optional<int> {
        const auto* number = one.as<std::int64_t>();
        if (!number || *number < range.least || *number > range.most) return std::nullopt;
        return static_cast<int>(*number);
    };
    if (const Array* sides = value.as<Array>()) {
        if (sides->size() != 2) return std::nullopt;
        const auto first = side((*sides)[0]), second = side((*sides)[1]);
        if (!first || !second) return std::nullopt;
        return std::array{*first, *second};
    }
    const auto both = side(value);
    return both ? std::optional(std::array{*both, *both}) : std::nullopt;
}

}  // namespace

LayerReader::LayerReader(const Value& layer, const std::string& prefix, const LayerType& type,
                         ReadContext context)
    : layer_(layer), type_(type), reader_(*layer.as<Table>(), prefix, keys_of(type), context) {}

LayerKind LayerReader::read() {
    LayerKind kind = type_.kind;
    visit_keys(kind, *this);
    return kind;
}

void LayerReader::need(LayerKey key) {
    if (key.presence == Presence::required && !reader_.has(key.name))
        reader_.problem(layer_, fmt::format("a {} layer needs {}", type_.word, key.name));
}

void LayerReader::whole(LayerKey key, int& value, WholeRange range) {
    need(key);
    // What is missing or wrong was told; the shapes that follow from it should not be.
    const int otherwise = std::max(value, static_cast<int>(range.least));
    value = reader_.count(key.name, static_cast<int>(range.least), static_cast<int>(range.most))
                .value_or(otherwise);
}

void LayerReader::real(LayerKey key, double& value, RealRange range) {
    need(key);
    value = reader_.real(key.name, range).value_or(value);
}

void LayerReader::truth(LayerKey key, bool& value) {
    need(key);
    value = reader_.truth(key.name).value_or(value);
}

// 16 random bits decide over each value, so that a rate is a multiple of 2^-16.
void LayerReader::rate(LayerKey key, double& value) {
    real(key, value, {0.0, 1.0, true, false});
    const double steps = std::round(value * 65536.0);
    const char* why = nullptr;
    if (value > 0.0 && steps == 0.0) why = "less than 2^-17 drops nothing";
    if (steps == 65536.0) why = "more than 1 - 2^-17 drops everything";
    if (why == nullptr) return;
    const Value& written = *reader_.find(key.name);
    reader_.problem(written, fmt::format("{} = {}: {}", key.name, described(written), why));
}

void LayerReader::pair(LayerKey key, std::array<int, 2>& value, WholeRange range) {
    need(key);
    value = reader_.pair(key.name, static_cast<int>(range.least), static_cast<int>(range.most))
                .value_or(value);
}

void LayerReader::pair_like(LayerKey key, std::array<int, 2>& value,
                            const std::array<int, 2>& other, WholeRange range) {
    value = other;
    pair(key, value, range);
}

void LayerReader::borders(LayerKey key, std::array<int, 2>& vertical,
                          std::array<int, 2>& horizontal, WholeRange range) {
    const Value* value = reader_.find(key.name);
    if (!value) return;
    const Array* axes = value->as<Array>();
    const bool is_pair = axes && axes->size() == 2;
    const auto rows = border_of(is_pair ? (*axes)[0] : *value, range);
    const auto columns = border_of(is_pair ? (*axes)[1] : *value, range);
    if (!rows || !columns) {
        reader_.must_be(key.name, *value,
                        fmt::format("[[top, bottom], [left, right]], [height, width] or a number "
                                    "for all four, each from {} to {}",
                                    range.least, range.most));
        return;
    }
    vertical = *rows;
    horizontal = *columns;
}

// "orthogonal" or { name = "orthogonal", gain = 2.0 }.
void LayerReader::initializer(LayerKey key, trainer::InitializerConfig& value) {
    const Value* written = reader_.find(key.name);
    if (!written) return;
    const Table* table = written->as<Table>();
    if (!table) {
        value.kind = reader_.choice(key.name, kInitializers).value_or(value.kind);
        return;
    }
    TableReader arguments(*table, fmt::format("{}{}.", reader_.key_prefix(), key.name),
                          KeyGroup::initializer, reader_.context());
    if (!arguments.has("name")) {
        reader_.problem(*written,
                        fmt::format("{} needs a name: {{ name = \"orthogonal\" }}", key.name));
        return;
    }
    const auto kind = arguments.choice("name", kInitializers);
    if (!kind) return;
    value = *kind;
    std::vector<std::string_view> known{"name"};
    visit_arguments(value, [&](std::string_view name, double& number, RealRange range) {
        number = arguments.real(name, range).value_or(number);
        known.push_back(name);
    });
    for (const Entry& entry : table->entries())
        if (std::ranges::find(known, entry.key) == known.end())
            arguments.problem(entry.value,
                              fmt::format("{} takes no {}", word_of(*kind), entry.key));
}

// { l2 = x } or "none".
void LayerReader::l2(LayerKey key, double& value) {
    const Value* written = reader_.find(key.name);
    if (!written) return;
    const Table* table = written->as<Table>();
    if (!table) {
        const auto* word = written->as<std::string>();
        if (!word || *word != "none")
            reader_.must_be(key.name, *written, "{ l2 = ... } or \"none\"");
        return;
    }
    TableReader regularizer(*table, fmt::format("{}{}.", reader_.key_prefix(), key.name),
                            KeyGroup::regularizer, reader_.context());
    value = regularizer.real("l2", {0.0, 1000.0}).value_or(0.01);  // Keras' default
}

void LayerReader::word(LayerKey key, std::size_t& index, std::span<const std::string_view> words) {
    need(key);
    index = reader_.choice_of(key.name, words).value_or(index);
}

}  // namespace lockstep::pipeline
