#pragma once

// The keys of a layer, told one by one. Whoever reads layers from a file, writes them to one or
// lists them is a KeyVisitor, so that all of them see the same keys in the same order.

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "pipeline/settings/table_reader.hpp"
#include "pipeline/settings/words.hpp"
#include "trainer/config/layer_config.hpp"

namespace lockstep::pipeline {

enum class Presence {
    required,
    listed,    // has a default, and is a part of every run's settings
    optional,  // a part of them where it differs from its default: came later than the others
};

struct LayerKey {
    std::string_view name;  // Keras'
    Presence presence = Presence::listed;
};

// Reads a key into `value`, which holds the default, or tells its value.
class KeyVisitor {
public:
    virtual ~KeyVisitor() = default;

    virtual void whole(LayerKey key, int& value, WholeRange range) = 0;
    virtual void real(LayerKey key, double& value, RealRange range) = 0;
    virtual void truth(LayerKey key, bool& value) = 0;
    // A fraction that is set to zero; fine enough for 16 random bits.
    virtual void rate(LayerKey key, double& value) = 0;
    // [height, width].
    virtual void pair(LayerKey key, std::array<int, 2>& value, WholeRange range) = 0;
    // The default is another key's value.
    virtual void pair_like(LayerKey key, std::array<int, 2>& value, const std::array<int, 2>& other,
                           WholeRange range) = 0;
    // [[above, below], [left, right]].
    virtual void borders(LayerKey key, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                         WholeRange range) = 0;
    virtual void initializer(LayerKey key, trainer::InitializerConfig& value) = 0;
    // A regularizer of a tensor: 0 is none.
    virtual void l2(LayerKey key, double& value) = 0;

    template <class Choice, std::size_t Count>
    void choice(LayerKey key, Choice& value, const std::array<Word<Choice>, Count>& words) {
        std::array<std::string_view, Count> names;
        std::size_t index = 0;
        for (std::size_t i = 0; i < Count; ++i) {
            names[i] = words[i].word;
            if (words[i].value == value) index = i;
        }
        word(key, index, names);
        value = words[index].value;
    }

private:
    virtual void word(LayerKey key, std::size_t& index,
                      std::span<const std::string_view> words) = 0;
};

}  // namespace lockstep::pipeline
