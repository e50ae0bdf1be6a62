#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::storage {

// SHA-256 (FIPS 180-4), 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

}  // namespace lockstep::storage
