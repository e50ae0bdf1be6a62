#include "pipeline/settings/toml_depth.hpp"

#include <algorithm>
#include <string>

namespace lockstep::pipeline {
namespace {

// Letters of bare keys, and blanks, which may stand around the dots.
bool continues_key(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == ' ' || c == '\t';
}

class DepthScanner {
public:
    DepthScanner(std::string_view text, int most) : text_(text), most_(most) {}

    std::optional<TextPlace> scan() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '#') {
                pass(std::min(text_.find('\n', at_), text_.size()) - at_);
            } else if (c == '"' || c == '\'') {
                pass_string(c);
            } else {
                count(c);
                if (brackets_ > most_ || dots_ > most_) return place_;
                pass(1);
            }
        }
        return std::nullopt;
    }

private:
    void count(char c) {
        if (c == '.') {
            ++dots_;
        } else if (!continues_key(c)) {
            dots_ = 0;
        }
        if (c == '[' || c == '{') ++brackets_;
        if (c == ']' || c == '}') brackets_ = std::max(0, brackets_ - 1);
    }

    // A string of one line, or of several, in either kind of quotes.
    void pass_string(char quote) {
        const std::string triple(3, quote);
        const bool is_long = text_.substr(at_).starts_with(triple);
        const std::string_view end = is_long ? std::string_view(triple) : text_.substr(at_, 1);
        pass(end.size());
        while (at_ < text_.size() && !text_.substr(at_).starts_with(end)) {
            if (!is_long && text_[at_] == '\n') return;  // never closed: the parser will say so
            const bool is_escape = quote == '"' && text_[at_] == '\\';
            pass(is_escape ? 2 : 1);
        }
        pass(end.size());
    }

    void pass(std::size_t bytes) {
        for (; bytes > 0 && at_ < text_.size(); --bytes, ++at_) {
            const auto byte = static_cast<unsigned char>(text_[at_]);
            if (byte == '\n') {
                place_ = {place_.line + 1, 1};
            } else if ((byte & 0xc0u) != 0x80u) {  // no further byte of a character
                ++place_.column;
            }
        }
    }

    std::string_view text_;
    int most_;
    std::size_t at_ = 0;
    TextPlace place_;
    int brackets_ = 0;  // open ones
    int dots_ = 0;      // of the key that is being passed
};

}  // namespace

std::optional<TextPlace> first_too_deep(std::string_view text, int most) {
    return DepthScanner(text, most).scan();
}

}  // namespace lockstep::pipeline
