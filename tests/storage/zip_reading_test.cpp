// Archives of others: libzip writes them here, as Python's zipfile does elsewhere.

#include "storage/files/zip_reading.hpp"

#include <zip.h>

#include <cstring>
#include <string>

#include "storage/files/atomic_file.hpp"
#include "storage/files/zip_archive.hpp"
#include "tests/storage/thrown.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

namespace lockstep::storage {
namespace {

using Kind = StorageError::Kind;

const std::string kText = std::string(5000, 'a') + "the end";

Bytes bytes_of(const std::string& text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    return {first, first + text.size()};
}

// One member, deflated.
Bytes deflated(const std::filesystem::path& path) {
    int error = 0;
    zip_t* archive = zip_open(path.c_str(), ZIP_CREATE, &error);
    REQUIRE(archive != nullptr);
    zip_source_t* source = zip_source_buffer(archive, kText.data(), kText.size(), 0);
    const auto index = zip_file_add(archive, "folder/text", source, 0);
    REQUIRE(index >= 0);
    REQUIRE(zip_set_file_compression(archive, static_cast<zip_uint64_t>(index), ZIP_CM_DEFLATE,
                                     9) == 0);
    REQUIRE(zip_close(archive) == 0);
    return read_file(path);
}

}  // namespace

TEST_CASE("members are read as they were, stored or deflated", "[storage]") {
    const tests::TemporaryDirectory folder;
    const Bytes archive = deflated(folder / "a.zip");
    REQUIRE(archive.size() < kText.size());
    CHECK(is_zip(archive));
    CHECK(zip_member(archive, "folder/text", "a.zip") == bytes_of(kText));

    const std::vector<ZipMember> members{{"one", bytes_of(kText)}, {"none", {}}};
    const Bytes stored = zip_bytes(members);
    CHECK(zip_member(stored, "one", "b.zip") == bytes_of(kText));
    CHECK(zip_member(stored, "none", "b.zip").empty());
    CHECK_FALSE(is_zip(bytes_of("PK")));
    CHECK_FALSE(is_zip(bytes_of("\x89HDF\r\n")));
}

TEST_CASE("damaged archives are refused", "[storage]") {
    const tests::TemporaryDirectory folder;
    const Bytes archive = deflated(folder / "a.zip");
    const auto kind_of = [](const Bytes& bytes) {
        return kind_thrown_by([&] { zip_member(bytes, "folder/text", "a.zip"); });
    };
    CHECK(kind_thrown_by([&] { zip_member(archive, "other", "a.zip"); }) == Kind::bad_data);
    // Cut anywhere, the directory at the end is gone.
    for (std::size_t size = 0; size < archive.size(); ++size) {
        CAPTURE(size);
        CHECK(kind_of(Bytes(archive.begin(), archive.begin() + static_cast<long>(size))) ==
              Kind::bad_data);
    }
    // A changed byte of the content does not fit its checksum.
    const std::size_t name_end = 30 + std::strlen("folder/text");
    for (std::size_t at = name_end; at < name_end + 10; ++at) {
        Bytes changed = archive;
        changed[at] ^= std::byte{0x10};
        CAPTURE(at);
        CHECK(kind_of(changed) == Kind::bad_data);
    }
}

}  // namespace lockstep::storage
