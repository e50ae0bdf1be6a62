#include "pipeline/settings/path_text.hpp"

#include <fmt/format.h>

#include <charconv>

#include "reports/words/terminal_text.hpp"
#include "trainer/data/utf8.hpp"

namespace lockstep::pipeline {
namespace {

// The text with each byte that is no UTF-8 as `write` gives it.
template <class Write>
std::string with_bytes_written(std::string_view text, Write write) {
    std::string result;
    while (!text.empty()) {
        const std::size_t bytes = trainer::character_length(text);
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
        const std::size_t bytes = trainer::character_length(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

std::string with_home(std::string path, const std::optional<std::string>& home) {
    const bool is_of_home = path == "~" || path.starts_with("~/");
    if (!is_of_home || !home || home->empty()) return path;
    return *home + path.substr(1);
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
