#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lockstep::reports {

// Base64 with padding, RFC 4648 section 4, without line breaks.
std::string base64(std::span<const std::uint8_t> bytes);

// 'sha256-<base64>' with its quotes: the text as a source of a content-security policy (CSP 3).
std::string csp_hash(std::string_view text);

}  // namespace lockstep::reports
