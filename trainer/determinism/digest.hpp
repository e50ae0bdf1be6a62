#pragma once

// SHA-256 (FIPS 180-4), by OpenSSL: what tells data, weights and configurations apart.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace lockstep::trainer {

// Digests bytes that come in pieces; where one piece ends makes no difference.
//
// For numbers pass std::as_bytes(values): the digest is then that of their bytes in memory.
class Sha256 {
public:
    Sha256();  // throws std::runtime_error if OpenSSL refuses (no memory, algorithm disabled)

    void update(std::span<const std::byte> bytes);

    // The digest of everything so far, as 64 hex digits in lower case. More may follow.
    std::string hex() const;

private:
    struct FreeContext {
        void operator()(evp_md_ctx_st* context) const noexcept;
    };
    std::unique_ptr<evp_md_ctx_st, FreeContext> context_;
};

std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

}  // namespace lockstep::trainer
