#include "storage/weights/shallow_json.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>

namespace lockstep::storage {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostLevels = 100;

// Counts brackets outside of texts. (The parser can be asked at each level to leave it out, and
// then looks at all values of a list again with every table in it.)
bool is_shallow(std::string_view text) {
    int levels = 0;
    bool is_inside_text = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char letter = text[i];
        if (is_inside_text && letter == '\\')
            ++i;
        else if (letter == '"')
            is_inside_text = !is_inside_text;
        else if (!is_inside_text && (letter == '[' || letter == '{') && ++levels > kMostLevels)
            return false;
        else if (!is_inside_text && (letter == ']' || letter == '}'))
            --levels;
    }
    return true;
}

}  // namespace

Json parse_shallow_json(std::string_view text) {
    return is_shallow(text) ? Json::parse(text, nullptr, false) : Json(Json::value_t::discarded);
}

}  // namespace lockstep::storage
