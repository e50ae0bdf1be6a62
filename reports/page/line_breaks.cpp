#include "reports/page/line_breaks.hpp"

#include <algorithm>
#include <cctype>
#include <span>
#include <vector>

namespace lockstep::reports {
namespace {

constexpr std::string_view kBreak = "<wbr>";
constexpr std::string_view kDrawing = "<svg";
constexpr std::string_view kDrawingEnd = "</svg>";
constexpr std::size_t kShortWord = 11;  // letters of a word without breaks
constexpr std::size_t kStride = 12;     // letters of a part of a word without places of its own

// The bytes at the front that are one: a drawing, a tag, an entity or a letter of UTF-8.
std::size_t length_of_next(std::string_view html) {
    const auto until = [&](std::string_view end) {
        const std::size_t at = html.find(end);
        return at == std::string_view::npos ? html.size() : at + end.size();
    };
    if (html.starts_with(kDrawing)) return until(kDrawingEnd);
    if (html.front() == '<') return until(">");
    if (html.front() == '&') return until(";");
    std::size_t length = 1;
    while (length < html.size() && (static_cast<unsigned char>(html[length]) & 0xC0U) == 0x80U) {
        ++length;
    }
    return length;
}

std::vector<std::string_view> pieces_of(std::string_view html) {
    std::vector<std::string_view> pieces;
    while (!html.empty()) {
        pieces.push_back(html.substr(0, length_of_next(html)));
        html.remove_prefix(pieces.back().size());
    }
    return pieces;
}

bool is_tag(std::string_view piece) { return piece.front() == '<'; }
bool is_blank(std::string_view piece) { return piece == " " || piece == "\n"; }

bool is_letter(std::string_view piece) {
    const auto byte = static_cast<unsigned char>(piece.front());
    return std::isalpha(byte) != 0 || byte >= 0x80U;
}

// Whether a line may end between these two. 0.001 is one figure; conv2d.filters are two names.
bool is_place(std::string_view left, std::string_view right) {
    constexpr std::string_view kBehind = "_/:=-";
    if (left == "." || left == ",") return is_letter(right);
    return left.size() == 1 && kBehind.find(left.front()) != std::string_view::npos &&
           right != left;
}

// Of a letter against a usual one: "m" of most typefaces, and Chinese.
double width_of(std::string_view letter) {
    constexpr std::string_view kWide = "mwMW%@";
    if (letter.size() == 1) return kWide.find(letter.front()) != std::string_view::npos ? 1.6 : 1.0;
    return letter.front() != '&' && letter.size() > 2 ? 1.8 : 1.0;
}

using Letters = std::span<const std::string_view>;

// How many letters stand before the next place.
std::size_t length_of_part(Letters letters) {
    std::size_t length = 1;
    while (length < letters.size() && !is_place(letters[length - 1], letters[length])) ++length;
    return length;
}

std::string joined(Letters letters) {
    std::string text;
    for (const std::string_view letter : letters) text += letter;
    return text;
}

// A word: neither blanks nor tags are in it.
std::string broken(Letters word) {
    if (word.size() <= kShortWord) return joined(word);
    std::string text;
    while (!word.empty()) {
        std::size_t length = length_of_part(word);
        if (length > kWholeLetters) length = kStride;
        text += joined(word.first(length));
        word = word.subspan(length);
        if (!word.empty()) text += kBreak;
    }
    return text;
}

}  // namespace

std::string with_line_breaks(std::string_view html) {
    std::string result;
    std::vector<std::string_view> word;
    const auto end_word = [&] {
        result += broken(word);
        word.clear();
    };
    for (const std::string_view piece : pieces_of(html)) {
        if (!is_tag(piece) && !is_blank(piece)) {
            word.push_back(piece);
            continue;
        }
        end_word();
        result += piece;
    }
    end_word();
    return result;
}

double longest_part(std::string_view html, bool is_one_line) {
    double longest = 0.0;
    double letters = 0.0;
    const auto end_part = [&] {
        longest = std::max(longest, letters);
        letters = 0.0;
    };
    for (const std::string_view piece : pieces_of(html)) {
        const bool begins_line = piece == kBreak || piece.starts_with("<small") ||
                                 piece.starts_with("<div") || piece.starts_with("</small");
        if (begins_line || (is_blank(piece) && !is_one_line)) {
            end_part();
        } else if (!is_tag(piece)) {
            letters += width_of(piece);
            if (piece == "-" && !is_one_line) end_part();
        }
    }
    end_part();
    return longest;
}

}  // namespace lockstep::reports
