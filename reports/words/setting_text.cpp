#include "reports/words/setting_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <variant>
#include <vector>

namespace lockstep::reports {
namespace {

constexpr std::size_t kNamed = 3;

}  // namespace

std::string value_text(const storage::Cell& value) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
    if (const auto* real = std::get_if<double>(&value)) return fmt::format("{}", *real);
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    return "not set";
}

std::string followers_text(const SweptSetting& setting) {
    const std::size_t named = std::min(setting.followers.size(), kNamed);
    std::string text;
    for (std::size_t i = 0; i < named; ++i) {
        text += (i == 0 ? "" : ", ") + setting.followers[i].name.name;
    }
    if (setting.followers.size() > named) {
        text += fmt::format(" and {} more", setting.followers.size() - named);
    }
    return text;
}

std::string setting_text(const SweptSetting& setting) {
    if (setting.followers.empty()) return setting.name.name;
    return fmt::format("{} (with {})", setting.name.name, followers_text(setting));
}

std::string shortened(const std::string& text, std::size_t most) {
    std::vector<std::size_t> letters;  // where each begins
    for (std::size_t i = 0; i < text.size(); ++i) {
        if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) letters.push_back(i);
    }
    if (letters.size() <= most || most < 3) return text;
    const std::size_t front = (most - 1) / 3;
    return text.substr(0, letters[front]) + "…" +
           text.substr(letters[letters.size() - (most - 1 - front)]);
}

}  // namespace lockstep::reports
