#pragma once

// Options that take numbers and times. They are read here: CLI11 takes 0x10 for 16, and says of
// what it cannot take neither what was written nor what to write.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace lockstep::pipeline {

// Both ends included.
struct OptionRange {
    std::int64_t least = 0;
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

inline constexpr OptionRange kRankCounts{1, 65536};

// The number that the text is in digits. Throws CLI::ValidationError, which names the option.
std::int64_t whole_number(const std::string& option, const std::string& text, OptionRange range);

// Of a Number, or of an optional one.
template <class Number = int, class Value>
CLI::Option& add_whole(CLI::App& verb, const std::string& name, Value& value, OptionRange range,
                       const std::string& help) {
    const auto take = [&value, name, range](const std::string& text) {
        value = static_cast<Number>(whole_number(name, text, range));
    };
    return *verb.add_option_function<std::string>(name, take, help)->type_name("N");
}

// N,N,...
void add_whole_list(CLI::App& verb, const std::string& name, std::vector<std::size_t>& values,
                    OptionRange range, const std::string& help);

// Any finite number that is fine; `what` says which are: "above 0".
struct RealNumbers {
    bool (*is_fine)(double);
    const char* what;
};
CLI::Option& add_real(CLI::App& verb, const std::string& name, double& value, RealNumbers numbers,
                      const std::string& help);

// 90s, 30m, 4h, 2d, 04:00:00
void add_duration(CLI::App& verb, const std::string& name,
                  std::optional<std::chrono::seconds>& duration, const std::string& help);

}  // namespace lockstep::pipeline
