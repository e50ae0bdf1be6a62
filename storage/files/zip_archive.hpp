#pragma once

// Zip archives with stored (not compressed) members, as Keras' .keras files are. PKWARE's
// APPNOTE.TXT 6.3, sections 4.3 to 4.5, without Zip64.

#include <span>
#include <string>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {

struct ZipMember {
    std::string name;  // ASCII, '/' between folders
    Bytes content;
};

// The members in their order. All times are 1980-01-01 00:00, the first that zip knows, so that
// equal members make equal archives.
// Throws std::length_error where Zip64 would be needed: an archive of 4 GiB, 65,535 members.
Bytes zip_bytes(std::span<const ZipMember> members);

}  // namespace lockstep::storage
