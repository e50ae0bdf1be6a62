#include "trainer/data/image_cache.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include "trainer/config/errors.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::string_view kHead = "lockstep images 1\n";
constexpr std::size_t kDigits = 64;

std::string head_of(const std::string& key) { return std::string(kHead) + key + '\n'; }

std::string read_text(RegularFile& file, std::size_t size) {
    std::string text(size, '\0');
    file.read({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    return text;
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

std::optional<CachedImages> CachedImages::open(const std::filesystem::path& path,
                                               const std::string& key, std::int64_t bytes) {
    if (path.empty()) return std::nullopt;
    try {
        RegularFile file(path);
        const std::string head = head_of(key);
        if (file.size() != static_cast<std::int64_t>(head.size() + kDigits) + bytes)
            return std::nullopt;
        if (read_text(file, head.size()) != head) return std::nullopt;
        return CachedImages(std::move(file));
    } catch (const DataError&) {
        return std::nullopt;
    }
}

void CachedImages::read(std::span<std::uint8_t> pixels) { file_.read(pixels); }

std::string CachedImages::read_digest() { return read_text(file_, kDigits); }

NewCachedImages::NewCachedImages(const std::filesystem::path& path, const std::string& key)
    : path_(path) {
    if (path.empty()) return;
    std::error_code ignored;  // mkstemp() then fails as well
    std::filesystem::create_directories(path.parent_path(), ignored);
    unfinished_ = path.string() + ".XXXXXX";
    descriptor_ = ::mkstemp(unfinished_.data());
    append(bytes_of(head_of(key)));
}

NewCachedImages::~NewCachedImages() { drop(); }

void NewCachedImages::append(std::span<const std::uint8_t> pixels) {
    while (descriptor_ >= 0 && !pixels.empty()) {
        const ssize_t written = ::write(descriptor_, pixels.data(), pixels.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return drop();
        pixels = pixels.subspan(static_cast<std::size_t>(written));
    }
}

void NewCachedImages::finish(const std::string& digest) {
    append(bytes_of(digest));
    if (descriptor_ < 0) return;
    if (::fsync(descriptor_) != 0 || std::rename(unfinished_.c_str(), path_.c_str()) != 0)
        return drop();
    ::close(std::exchange(descriptor_, -1));
}

void NewCachedImages::drop() {
    if (descriptor_ < 0) return;
    ::close(std::exchange(descriptor_, -1));
    ::unlink(unfinished_.c_str());
}

}  // namespace lockstep::trainer
