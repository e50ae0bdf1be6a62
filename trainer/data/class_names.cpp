#include "trainer/data/class_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "trainer/config/errors.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/regular_file.hpp"
#include "trainer/data/utf8.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::size_t kMostNames = 256;       // labels of such files are bytes
constexpr std::size_t kLongestName = 64;      // bytes
constexpr std::int64_t kLargestFile = 65536;  // bytes; 256 such names take a quarter of it

std::string text_of(const std::filesystem::path& path) {
    RegularFile file(path);
    if (file.size() > kLargestFile) {
        throw DataError(DataError::Kind::damaged,
                        fmt::format("it has {} bytes, which is more than a list of names",
                                    with_commas(file.size())));
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(file.size()));
    file.read(bytes);
    return {bytes.begin(), bytes.end()};
}

std::string_view without_blanks(std::string_view line) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

std::vector<std::string> lines_of(std::string_view text) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(without_blanks(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    while (!lines.empty() && lines.back().empty()) lines.pop_back();
    return lines;
}

// ---- characters ----------------------------------------------------------------------------

// C0, DEL and C1: they would reach terminals.
bool is_control(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (character.size() == 1) return first < 0x20 || first == 0x7f;
    return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

// ---- names ---------------------------------------------------------------------------------

std::string problem_of(const std::vector<std::string>& lines) {
    if (lines.empty()) return "it is empty";
    if (lines.size() == 1) return "it lists one name, and a data set has two classes or more";
    if (lines.size() > kMostNames) {
        return fmt::format("it lists {} names, and labels tell {} classes apart", lines.size(),
                           kMostNames);
    }
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (const auto fault = fault_of_class_name(lines[i]))
            return fmt::format("line {} {}", i + 1, *fault);
        const auto first = std::find(lines.begin(), lines.end(), lines[i]) - lines.begin();
        if (static_cast<std::size_t>(first) < i) {
            return fmt::format("line {} repeats line {}", i + 1, first + 1);
        }
    }
    return {};
}

}  // namespace

std::optional<std::string> fault_of_class_name(std::string_view name) {
    if (name.empty()) return "is empty";
    if (name.size() > kLongestName) return fmt::format("is longer than {} bytes", kLongestName);
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t length = character_length(name.substr(at));
        if (length == 0) return "is not UTF-8";
        if (is_control(name.substr(at, length))) return "has a control character";
        at += length;
    }
    return std::nullopt;
}

ClassNames read_class_names(const std::filesystem::path& path) {
    try {
        std::vector<std::string> lines = lines_of(text_of(path));
        std::string problem = problem_of(lines);
        if (!problem.empty()) lines.clear();
        return {std::move(lines), std::move(problem)};
    } catch (const DataError& error) {
        if (error.kind() == DataError::Kind::unreadable) throw;
        return {{}, error.what()};
    }
}

}  // namespace lockstep::trainer
