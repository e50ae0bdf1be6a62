#include "tests/support/mutations.hpp"

#include <algorithm>
#include <array>

namespace lockstep::tests {
namespace {

constexpr std::uint32_t kLongestPiece = 64;
// Bytes that counts, offsets and lengths do not expect.
constexpr std::array<char, 5> kExtremes{'\x00', '\xff', '\x7f', '\x80', '\x01'};

}  // namespace

std::size_t Mutations::place_in(const std::string& content) {
    return content.empty() ? 0 : random_.below(static_cast<std::uint32_t>(content.size()));
}

void Mutations::change(std::string& content) {
    if (content.empty()) return;
    const std::size_t at = place_in(content);
    const std::size_t length =
        std::min<std::size_t>(1 + random_.below(kLongestPiece), content.size() - at);
    switch (random_.below(6)) {
        case 0:
            for (std::uint32_t bits = 1 + random_.below(8); bits > 0; --bits)
                content[place_in(content)] ^= static_cast<char>(1U << random_.below(8));
            break;
        case 1: {  // a field of 1, 2, 4 or 8 bytes
            const char extreme = kExtremes[random_.below(kExtremes.size())];
            const std::size_t bytes = std::size_t{1} << random_.below(4);
            std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(at),
                        std::min(bytes, content.size() - at), extreme);
            break;
        }
        case 2:
            content.resize(at);
            break;
        case 3:
            content.erase(at, length);
            break;
        case 4:
            content.insert(place_in(content), content.substr(at, length));
            break;
        default:
            std::generate_n(content.begin() + static_cast<std::ptrdiff_t>(at), length,
                            [&] { return static_cast<char>(random_.below(256)); });
    }
}

std::string Mutations::next() {
    std::string content = original_;
    for (std::uint32_t changes = 1 + random_.below(3); changes > 0; --changes) change(content);
    return content;
}

}  // namespace lockstep::tests
