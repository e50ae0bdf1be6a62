#include "storage/files/zip_archive.hpp"

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep::storage {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEndOfDirectory = 0x06054b50;
constexpr std::uint64_t kVersion = 20;            // 2.0; made by: 0 in the upper byte, MS-DOS
constexpr std::uint64_t kDate = (1 << 5) | 1;     // years since 1980 << 9 | month << 5 | day
constexpr std::size_t kMostBytes = 0xffffffff;    // sizes and places are 32 bits wide
constexpr std::size_t kMostMembers = 0xffff - 1;  // 0xffff announces Zip64

class ZipWriter {
public:
    void put16(std::uint64_t value) { put(value, 2); }
    void put32(std::uint64_t value) { put(value, 4); }
    void put_text(std::string_view text) {
        for (const char each : text) bytes_.push_back(static_cast<std::byte>(each));
    }
    void put_bytes(const Bytes& bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

    std::size_t size() const { return bytes_.size(); }
    Bytes take() && { return std::move(bytes_); }

private:
    void put(std::uint64_t value, int size) {  // little-endian
        for (int i = 0; i < size; ++i, value >>= 8) {
            bytes_.push_back(static_cast<std::byte>(value & 0xff));
        }
    }
    Bytes bytes_;
};

struct Placed {
    const ZipMember& member;
    std::uint64_t crc32;
    std::size_t place;  // of its local header, bytes from the start
};

std::uint64_t crc32_of(const Bytes& bytes) {
    return ::crc32_z(::crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(bytes.data()),
                     bytes.size());
}

// What both headers of a member share: from the version to the length of the extra field.
void put_description(ZipWriter& zip, const Placed& placed) {
    zip.put16(kVersion);  // needed to extract
    zip.put16(0);         // flags
    zip.put16(0);         // method: stored
    zip.put16(0);         // time
    zip.put16(kDate);
    zip.put32(placed.crc32);
    zip.put32(placed.member.content.size());  // as stored
    zip.put32(placed.member.content.size());
    zip.put16(placed.member.name.size());
    zip.put16(0);  // length of the extra field
}

void put_member(ZipWriter& zip, const Placed& placed) {
    zip.put32(kLocalHeader);
    put_description(zip, placed);
    zip.put_text(placed.member.name);
    zip.put_bytes(placed.member.content);
}

void put_directory_entry(ZipWriter& zip, const Placed& placed) {
    zip.put32(kCentralHeader);
    zip.put16(kVersion);  // made by
    put_description(zip, placed);
    zip.put16(0);  // length of the comment
    zip.put16(0);  // disk
    zip.put16(0);  // internal attributes
    zip.put32(0);  // external attributes
    zip.put32(placed.place);
    zip.put_text(placed.member.name);
}

void put_end(ZipWriter& zip, std::size_t members, std::size_t directory) {
    const std::size_t directory_size = zip.size() - directory;
    zip.put32(kEndOfDirectory);
    zip.put16(0);  // this disk
    zip.put16(0);  // the directory's disk
    zip.put16(members);
    zip.put16(members);
    zip.put32(directory_size);
    zip.put32(directory);
    zip.put16(0);  // length of the comment
}

}  // namespace

Bytes zip_bytes(std::span<const ZipMember> members) {
    ZipWriter zip;
    std::vector<Placed> directory;
    for (const ZipMember& member : members) {
        directory.push_back({member, crc32_of(member.content), zip.size()});
        put_member(zip, directory.back());
    }
    const std::size_t directory_place = zip.size();
    for (const Placed& placed : directory) put_directory_entry(zip, placed);
    put_end(zip, members.size(), directory_place);
    if (members.size() > kMostMembers || zip.size() >= kMostBytes) {
        throw std::length_error("a zip archive without Zip64 holds less than 4 GiB");
    }
    return std::move(zip).take();
}

}  // namespace lockstep::storage
