#pragma once

// Values as TOML, in the one way in which we write them: part of a run's id.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace lockstep::pipeline {

std::string text_of(bool value);
std::string text_of(int value);
std::string text_of(std::int64_t value);
std::string text_of(std::uint64_t value);
std::string text_of(double value);  // the shortest that reads back to the same number, no whole one
std::string text_of(std::string_view value);  // quoted
std::string text_of(const std::string& value);
std::string text_of(const std::filesystem::path& value);
std::string text_of(const std::array<int, 2>& value);
std::string text_of(const std::vector<double>& values);
std::string text_of(const std::vector<std::string>& values);

}  // namespace lockstep::pipeline
