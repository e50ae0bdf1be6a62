#include "pipeline/layers/layer_settings_text.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "pipeline/settings/value_text.hpp"

namespace lockstep::pipeline {
namespace {

struct ListedKey {
    LayerKey key;
    std::string text;
    // Of a key whose default is another key's value.
    std::optional<bool> is_as_another{};
};

class Lister final : public KeyVisitor {
public:
    std::vector<ListedKey> keys;

    void whole(LayerKey key, int& value, WholeRange) override { add(key, text_of(value)); }
    void real(LayerKey key, double& value, RealRange) override { add(key, text_of(value)); }
    void truth(LayerKey key, bool& value) override { add(key, text_of(value)); }
    void rate(LayerKey key, double& value) override { add(key, text_of(value)); }
    void pair(LayerKey key, std::array<int, 2>& value, WholeRange) override {
        add(key, text_of(value));
    }
    void pair_like(LayerKey key, std::array<int, 2>& value, const std::array<int, 2>& other,
                   WholeRange) override {
        add(key, text_of(value));
        keys.back().is_as_another = value == other;
    }
    void borders(LayerKey key, std::array<int, 2>& vertical, std::array<int, 2>& horizontal,
                 WholeRange) override {
        add(key, fmt::format("[{}, {}]", text_of(vertical), text_of(horizontal)));
    }
    void initializer(LayerKey key, trainer::InitializerConfig& value) override {
        add(key, initializer_text(value));
    }
    void l2(LayerKey key, double& value) override {
        add(key, value == 0.0 ? "\"none\"" : fmt::format("{{ l2 = {} }}", text_of(value)));
    }

private:
    void word(LayerKey key, std::size_t& index, std::span<const std::string_view> words) override {
        add(key, text_of(words[index]));
    }
    void add(LayerKey key, std::string text) { keys.push_back({key, std::move(text)}); }

    // The word alone where it takes nothing, or nothing but its defaults.
    static std::string initializer_text(trainer::InitializerConfig value) {
        std::string name = text_of(word_of(value.kind));
        if (value == trainer::InitializerConfig(value.kind)) return name;
        std::string text = fmt::format("{{ name = {}", name);
        visit_arguments(value, [&text](std::string_view key, double& number, RealRange) {
            text += fmt::format(", {} = {}", key, text_of(number));
        });
        return text + " }";
    }
};

std::vector<ListedKey> listed(LayerKind kind) {
    Lister lister;
    visit_keys(kind, lister);
    return std::move(lister.keys);
}

template <class IsLeftOut>
std::vector<KeyText> without(const LayerKind& kind, const IsLeftOut& is_left_out) {
    const std::vector<ListedKey> keys = listed(kind), defaults = listed(type_of(kind).kind);
    std::vector<KeyText> texts;
    for (std::size_t i = 0; i < keys.size(); ++i)
        if (!is_left_out(keys[i], keys[i].text == defaults[i].text))
            texts.push_back({keys[i].key.name, keys[i].text});
    return texts;
}

}  // namespace

std::vector<KeyText> settings_of(const LayerKind& kind) {
    return without(kind, [](const ListedKey& key, bool is_default) {
        return is_default && key.key.presence == Presence::optional;
    });
}

std::vector<KeyText> written_settings_of(const LayerKind& kind) {
    return without(kind, [](const ListedKey& key, bool is_default) {
        if (key.is_as_another) return *key.is_as_another;
        return is_default && key.key.presence != Presence::required;
    });
}

}  // namespace lockstep::pipeline
