#include "reports/figures/config_text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace lockstep::reports {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char byte) { return byte == ' ' || byte == '\t' || byte == '\r'; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

// Where the comment of a line begins, outside of basic strings; the line's size without one.
std::size_t comment_of(std::string_view line) {
    bool is_quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (is_quoted && line[i] == '\\') {
            ++i;
        } else if (line[i] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && line[i] == '#') {
            return i;
        }
    }
    return line.size();
}

// What stands in front of the keys below a header: [[run.layers]] -> layers.0.
class Prefix {
public:
    void enter(std::string_view header) {
        if (header == "[[run.layers]]") {
            text_ = "layers." + std::to_string(layers_++) + ".";
        } else if (header == "[[run]]") {
            text_.clear();
        } else {
            std::string name(header);
            std::erase_if(name, [](char byte) { return byte == '[' || byte == ']'; });
            text_ = name + ".";
        }
    }
    const std::string& text() const { return text_; }

private:
    std::string text_;
    int layers_ = 0;
};

}  // namespace

std::vector<ConfigValue> config_values(std::string_view effective_config) {
    std::vector<ConfigValue> values;
    Prefix prefix;
    while (!effective_config.empty()) {
        const std::size_t end = std::min(effective_config.find('\n'), effective_config.size());
        const std::string_view line = effective_config.substr(0, end);
        effective_config.remove_prefix(std::min(end + 1, effective_config.size()));
        const std::size_t comment = comment_of(line);
        const std::string_view content = trimmed(line.substr(0, comment));
        const std::size_t equals = content.find('=');
        if (content.starts_with('[')) {
            prefix.enter(content);
        } else if (equals != std::string_view::npos) {
            const auto origin = comment < line.size() ? line.substr(comment + 1) : "";
            values.push_back({prefix.text() + std::string(trimmed(content.substr(0, equals))),
                              std::string(trimmed(content.substr(equals + 1))),
                              std::string(trimmed(origin))});
        }
    }
    return values;
}

std::string_view value_of(const std::vector<ConfigValue>& values, std::string_view key) {
    const auto found = std::ranges::find(values, key, &ConfigValue::key);
    return found == values.end() ? std::string_view() : found->value;
}

std::string_view text_in(std::string_view value) {
    const bool is_text = value.size() >= 2 && value.front() == '"' && value.back() == '"';
    return is_text ? value.substr(1, value.size() - 2) : value;
}

std::vector<std::string> list_of_texts(std::string_view value) {
    const auto list = nlohmann::json::parse(value, nullptr, false);
    std::vector<std::string> texts;
    if (!list.is_array()) return texts;
    for (const auto& element : list) {
        if (element.is_string()) texts.push_back(element.get<std::string>());
    }
    return texts;
}

}  // namespace lockstep::reports
