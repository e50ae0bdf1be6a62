#include "pipeline/settings/written_text.hpp"

#include <algorithm>

namespace lockstep::pipeline {
namespace {

constexpr std::size_t kLongestNumber = 40;  // in bytes; longer ones are shown as they were read
constexpr std::size_t kCharactersOfMark = 128;

std::string_view without_byte_order_mark(std::string_view text) {
    return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

bool is_further_byte(char c) { return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u; }

}  // namespace

WrittenText::WrittenText(std::string_view text) : text_(without_byte_order_mark(text)) {
    std::size_t column = 0;  // from 0
    for (std::size_t at = 0; at < text_.size(); ++at) {
        if (is_further_byte(text_[at])) continue;
        if (column == 0) first_marks_.push_back(marks_.size());
        if (column % kCharactersOfMark == 0) marks_.push_back(at);
        column = text_[at] == '\n' ? 0 : column + 1;
    }
}

std::string WrittenText::number_at(TextPlace place) const {
    const auto line = static_cast<std::size_t>(place.line) - 1;
    const auto column = static_cast<std::size_t>(place.column) - 1;
    if (line >= first_marks_.size()) return {};
    const std::size_t mark = first_marks_[line] + column / kCharactersOfMark;
    if (mark >= marks_.size()) return {};
    std::string_view rest = text_.substr(marks_[mark]);
    for (std::size_t i = column % kCharactersOfMark; i > 0 && !rest.empty(); --i) {
        rest.remove_prefix(1);
        while (!rest.empty() && is_further_byte(rest.front())) rest.remove_prefix(1);
    }
    rest = rest.substr(0, rest.find_first_not_of("0123456789abcdefABCDEFxo_+-."));
    const bool is_number = !rest.empty() && rest.find_first_of("0123456789") != rest.npos;
    return is_number && rest.size() <= kLongestNumber ? std::string(rest) : std::string();
}

}  // namespace lockstep::pipeline
