#include "trainer/data/utf8.hpp"

#include <array>

namespace lockstep::trainer {
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

}  // namespace

std::size_t character_length(std::string_view text) {
    if (text.empty()) return 0;
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

}  // namespace lockstep::trainer
