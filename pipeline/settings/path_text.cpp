#include "pipeline/settings/path_text.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>

#include "reports/words/terminal_text.hpp"

namespace lockstep::pipeline {
namespace {

// The well-formed sequences by their first byte (The Unicode Standard, table 3-7): bytes in all,
// and the range of the second one.
struct Sequence {
    unsigned char first_low, first_high;
    std::size_t bytes;
    unsigned char second_low, second_high;
};
constexpr std::array<Sequence, 9> kSequences{{
    {0x00, 0x7f, 1, 0, 0},
    {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
}};

bool is_between(char byte, unsigned char low, unsigned char high) {
    return static_cast<unsigned char>(byte) >= low && static_cast<unsigned char>(byte) <= high;
}

// Bytes of the character that a text begins with; 0 if it begins with none.
std::size_t first_character(std::string_view text) {
    for (const Sequence& sequence : kSequences) {
        if (!is_between(text[0], sequence.first_low, sequence.first_high)) continue;
        if (sequence.bytes > text.size()) return 0;
        for (std::size_t i = 1; i < sequence.bytes; ++i) {
            const bool is_second = i == 1;
            if (!is_between(text[i], is_second ? sequence.second_low : 0x80,
                            is_second ? sequence.second_high : 0xbf)) {
                return 0;
            }
        }
        return sequence.bytes;
    }
    return 0;
}

// The text with each byte that is no UTF-8 as `write` gives it.
template <class Write>
std::string with_bytes_written(std::string_view text, Write write) {
    std::string result;
    while (!text.empty()) {
        const std::size_t bytes = first_character(text);
        if (bytes > 0) {
            result += text.substr(0, bytes);
        } else {
            result += write(static_cast<unsigned char>(text[0]));
        }
        text.remove_prefix(bytes > 0 ? bytes : 1);
    }
    return result;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = first_character(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

std::string with_named_bytes(std::string_view text) {
    return with_bytes_written(text,
                              [](unsigned byte) { return fmt::format("${{0x{:02x}}}", byte); });
}

std::string path_text(const std::filesystem::path& path) {
    std::string text = path.string();
    for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 7)) {
        text.replace(at, 1, "${0x24}");
    }
    return with_named_bytes(text);
}

std::optional<char> byte_named(std::string_view name) {
    if (name.size() != 4 || !name.starts_with("0x")) return std::nullopt;
    unsigned byte = 0;
    const char* end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data() + 2, end, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != end || byte == 0) return std::nullopt;
    return static_cast<char>(byte);
}

std::string printable(std::string_view text) {
    return reports::terminal_text(
        with_bytes_written(text, [](unsigned byte) { return fmt::format("\\x{:02x}", byte); }));
}

}  // namespace lockstep::pipeline
