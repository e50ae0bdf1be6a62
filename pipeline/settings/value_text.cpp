#include "pipeline/settings/value_text.hpp"

#include <fmt/format.h>

#include "pipeline/settings/path_text.hpp"
#include "pipeline/settings/toml_tree.hpp"

namespace lockstep::pipeline {
namespace {

template <class Type>
std::string list_of(const std::vector<Type>& values) {
    std::vector<std::string> texts;
    for (const Type& value : values) texts.push_back(text_of(value));
    return fmt::format("[{}]", fmt::join(texts, ", "));
}

}  // namespace

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(int value) { return fmt::format("{}", value); }
std::string text_of(std::int64_t value) { return fmt::format("{}", value); }
std::string text_of(std::uint64_t value) { return fmt::format("{}", value); }
std::string text_of(double value) {
    std::string text = fmt::format("{}", value);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}
std::string text_of(std::string_view value) { return toml_string(value); }
std::string text_of(const std::string& value) { return toml_string(value); }
std::string text_of(const std::filesystem::path& value) { return toml_string(path_text(value)); }
std::string text_of(const std::array<int, 2>& value) {
    return fmt::format("[{}, {}]", value[0], value[1]);
}
std::string text_of(const std::vector<double>& values) { return list_of(values); }
std::string text_of(const std::vector<std::string>& values) { return list_of(values); }

}  // namespace lockstep::pipeline
