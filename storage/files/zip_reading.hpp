#pragma once

// Members of zip archives, stored or deflated, as others write them.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {

bool is_zip(std::span<const std::byte> bytes);

// A member's content, checked against its checksum. `origin` names the archive in messages.
// Throws StorageError (bad_data) if the archive or the member is damaged, encrypted or packed in an
// unknown way, if the archive has no such member, or if the member declares absurdly more than the
// archive holds.
Bytes zip_member(std::span<const std::byte> archive, const std::string& name,
                 std::string_view origin);
// The same of a member that need not be there.
std::optional<Bytes> find_zip_member(std::span<const std::byte> archive, const std::string& name,
                                     std::string_view origin);

}  // namespace lockstep::storage
