#include "storage/weights/hdf5.hpp"

#include <fmt/format.h>

#include "storage/weights/hdf5_check.hpp"

namespace lockstep::storage {
namespace {

constexpr std::size_t kGrowth = std::size_t{1} << 20;  // bytes that an image grows by

// Two files in memory of one name would be one file for libhdf5, so an object's address names it.
// It first looks for such a file on the disk; under a device there can be none.
std::string image_name(const void* owner) { return fmt::format("/dev/null/lockstep-{}", owner); }

Hdf5Properties memory_access() {
    Hdf5Properties access(check_hdf5(H5Pcreate(H5P_FILE_ACCESS), "prepare", "a file in memory"));
    check_hdf5(H5Pset_fapl_core(access.id(), kGrowth, false), "prepare", "a file in memory");
    return access;
}

Hdf5FileHandle open_image(std::span<const std::byte> bytes, const void* owner) {
    const Hdf5Properties access = memory_access();
    // The signature says const only in newer versions; the bytes are copied.
    void* const image = const_cast<std::byte*>(bytes.data());
    check_hdf5(H5Pset_file_image(access.id(), image, bytes.size()), "prepare", "a file in memory");
    return Hdf5FileHandle(H5Fopen(image_name(owner).c_str(), H5F_ACC_RDONLY, access.id()));
}

herr_t keep_first(unsigned int position, const H5E_error2_t* error, void* reason) {
    if (position == 0 && error->desc != nullptr) {
        *static_cast<std::string*>(reason) = error->desc;
    }
    return 0;
}

}  // namespace

std::string hdf5_reason() {
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
    return reason;
}

Hdf5Silence::Hdf5Silence() {
    // The library's last step would close files: there are none on a disk. Of a damaged one it may
    // have kept something open, which it would complain of on stderr.
    H5dont_atexit();
    H5Eget_auto2(H5E_DEFAULT, &function_, &client_data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}
Hdf5Silence::~Hdf5Silence() { H5Eset_auto2(H5E_DEFAULT, function_, client_data_); }

Hdf5Image::Hdf5Image() {
    const Hdf5Properties access = memory_access();
    file_ = Hdf5FileHandle(
        check_hdf5(H5Fcreate(image_name(this).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()),
                   "create", "a file in memory"));
}

Bytes Hdf5Image::bytes() const {
    check_hdf5(H5Fflush(root(), H5F_SCOPE_GLOBAL), "finish", "a file in memory");
    const ssize_t size =
        check_hdf5(H5Fget_file_image(root(), nullptr, 0), "finish", "a file in memory");
    Bytes bytes(static_cast<std::size_t>(size));
    check_hdf5(H5Fget_file_image(root(), bytes.data(), bytes.size()), "finish", "a file in memory");
    return bytes;
}

Hdf5Source::Hdf5Source(std::span<const std::byte> bytes, std::string_view origin)
    : origin_(origin), size_(bytes.size()) {
    if (bytes.empty()) refuse("not an HDF5 file: it is empty");
    file_ = open_image(bytes, this);
    if (file_.id() < 0) {
        constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";
        const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        refuse(start.substr(0, kSignature.size()) == kSignature
                   ? fmt::format("damaged ({})", hdf5_reason())
                   : std::string("not an HDF5 file"));
    }
}

void Hdf5Source::refuse(std::string_view message) const {
    throw StorageError(StorageError::Kind::bad_data, fmt::format("{}: {}", origin_, message));
}

}  // namespace lockstep::storage
