#include "storage/files/zip_reading.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <cstdint>
#include <memory>

#include "storage/files/storage_error.hpp"

namespace lockstep::storage {
namespace {

// Zeros are deflated to a thousandth.
constexpr std::uint64_t kUnsuspiciousBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kLargestRatio = 1100;

struct Discard {
    void operator()(zip_t* archive) const { zip_discard(archive); }
    void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using Member = std::unique_ptr<zip_file_t, Discard>;

[[noreturn]] void refuse(std::string_view origin, std::string_view what, std::string_view why) {
    throw StorageError(StorageError::Kind::bad_data,
                       fmt::format("{}: {}{}{}", origin, what, why.empty() ? "" : ": ", why));
}

Archive open_archive(std::span<const std::byte> bytes, std::string_view origin) {
    zip_error_t error;
    zip_error_init(&error);
    // Neither copied nor freed by libzip.
    zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    zip_t* archive = source == nullptr ? nullptr : zip_open_from_source(source, ZIP_RDONLY, &error);
    const std::string reason = archive == nullptr ? zip_error_strerror(&error) : "";
    if (archive == nullptr && source != nullptr) zip_source_free(source);
    zip_error_fini(&error);
    if (archive == nullptr) refuse(origin, "the zip archive cannot be read", reason);
    return Archive(archive);
}

}  // namespace

bool is_zip(std::span<const std::byte> bytes) {
    constexpr std::string_view kMagic("PK\x03\x04", 4);
    return bytes.size() > kMagic.size() &&
           std::string_view(reinterpret_cast<const char*>(bytes.data()), kMagic.size()) == kMagic;
}

std::optional<Bytes> find_zip_member(std::span<const std::byte> archive, const std::string& name,
                                     std::string_view origin) {
    const Archive zip = open_archive(archive, origin);
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat(zip.get(), name.c_str(), 0, &stat) != 0) return std::nullopt;
    const bool is_believable =
        stat.size <= kUnsuspiciousBytes || stat.size / kLargestRatio <= archive.size();
    if (!is_believable)
        refuse(origin, fmt::format("{} declares far more than the archive holds", name), "");
    const Member member(zip_fopen(zip.get(), name.c_str(), 0));
    if (!member) refuse(origin, name, zip_strerror(zip.get()));
    Bytes bytes(stat.size);
    const zip_int64_t count = zip_fread(member.get(), bytes.data(), bytes.size());
    // The end is where the checksum is looked at.
    std::byte beyond{};
    const bool is_whole = count >= 0 && static_cast<std::uint64_t>(count) == stat.size &&
                          zip_fread(member.get(), &beyond, 1) == 0;
    if (!is_whole) refuse(origin, name, zip_file_strerror(member.get()));
    return bytes;
}

Bytes zip_member(std::span<const std::byte> archive, const std::string& name,
                 std::string_view origin) {
    if (auto bytes = find_zip_member(archive, name, origin)) return *std::move(bytes);
    refuse(origin, fmt::format("there is no {} in the archive", name), "");
}

}  // namespace lockstep::storage
