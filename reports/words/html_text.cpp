#include "reports/words/html_text.hpp"

#include <algorithm>

#include "reports/words/terminal_text.hpp"

namespace lockstep::reports {
namespace {

std::string with_entities(std::string_view text) {
    std::string result;
    for (const char byte : text) {
        switch (byte) {
            case '&':
                result += "&amp;";
                break;
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '"':
                result += "&quot;";
                break;
            case '\'':
                result += "&#39;";
                break;
            default:
                result += byte;
        }
    }
    return result;
}

}  // namespace

std::string html_text(std::string_view text) { return with_entities(terminal_text(text)); }

std::string script_json(std::string_view json) {
    std::string result;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string_view rest = json.substr(i);
        if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
            result += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else if (json[i] == '<') {
            result += "\\u003c";
        } else if (json[i] == '>') {
            result += "\\u003e";
        } else if (json[i] == '&') {
            result += "\\u0026";
        } else {
            result += json[i];
        }
    }
    return result;
}

std::string html_lines(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\n\t"), text.size());
        result += html_text(text.substr(0, end));
        if (end < text.size()) result += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return result;
}

}  // namespace lockstep::reports
