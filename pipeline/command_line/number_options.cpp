#include "pipeline/command_line/number_options.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "pipeline/ranks/time_limit.hpp"

namespace lockstep::pipeline {
namespace {

// The whole text as a number of its type.
template <class Number>
std::optional<Number> parsed(const std::string& text) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end) return std::nullopt;
    return value;
}

bool is_in(OptionRange range, std::int64_t value) {
    return value >= range.least && value <= range.most;
}

std::string range_text(OptionRange range) {
    if (range.most == OptionRange().most) return fmt::format("from {} on", range.least);
    return fmt::format("from {} to {}", range.least, range.most);
}

// 1e3 and 16.0 are whole numbers that nobody counts in.
std::string digits_of(const std::string& text, OptionRange range) {
    const std::optional<double> real = parsed<double>(text);
    constexpr double kExact = 1e15;
    if (!real || *real != std::trunc(*real) || std::abs(*real) > kExact) return {};
    const auto whole = static_cast<std::int64_t>(*real);
    return is_in(range, whole) ? fmt::format("; write {}", whole) : std::string();
}

// What to write for a time.
std::string time_advice(const std::string& text) {
    const std::optional<std::int64_t> number = parsed<std::int64_t>(text);
    if (number && *number > 0)
        return fmt::format("\"{0}\" has no unit; write {0}s, {0}m, {0}h or {0}d", text);
    return fmt::format("\"{}\" is no time above 0; write 90s, 30m, 4h, 2d or 04:00:00", text);
}

}  // namespace

std::int64_t whole_number(const std::string& option, const std::string& text, OptionRange range) {
    const std::optional<std::int64_t> value = parsed<std::int64_t>(text);
    if (value && is_in(range, *value)) return *value;
    throw CLI::ValidationError(option, fmt::format("\"{}\" is no whole number {}{}", text,
                                                   range_text(range), digits_of(text, range)));
}

void add_whole_list(CLI::App& verb, const std::string& name, std::vector<std::size_t>& values,
                    OptionRange range, const std::string& help) {
    const auto take = [&values, name, range](const std::vector<std::string>& texts) {
        values.clear();
        for (const std::string& text : texts)
            values.push_back(static_cast<std::size_t>(whole_number(name, text, range)));
    };
    verb.add_option_function<std::vector<std::string>>(name, take, help)
        ->type_name("N,...")
        ->delimiter(',');
}

CLI::Option& add_real(CLI::App& verb, const std::string& name, double& value, RealNumbers numbers,
                      const std::string& help) {
    const auto take = [&value, name, numbers](const std::string& text) {
        const std::optional<double> number = parsed<double>(text);
        if (!number || !std::isfinite(*number) || !numbers.is_fine(*number))
            throw CLI::ValidationError(name,
                                       fmt::format("\"{}\" is no number {}", text, numbers.what));
        value = *number;
    };
    return *verb.add_option_function<std::string>(name, take, help);
}

void add_duration(CLI::App& verb, const std::string& name,
                  std::optional<std::chrono::seconds>& duration, const std::string& help) {
    const auto take = [&duration, name](const std::string& text) {
        duration = parse_duration(text);
        if (!duration) throw CLI::ValidationError(name, time_advice(text));
    };
    verb.add_option_function<std::string>(name, take, help)->type_name("TIME");
}

}  // namespace lockstep::pipeline
