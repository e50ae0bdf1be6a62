#pragma once

// Inside storage only: small owners and checked calls over HDF5's C API. The only place that reads
// its return codes.
//
// Files exist in memory alone (the core driver without a backing file): libhdf5 1.10.8 crashes on a
// full disk, tears files when killed, and may fail to lock them. Their bytes are a function of
// their content: no object carries a time.
//
// libhdf5 is not safe for threads: one thread at a time.
//
// Every call throws StorageError (bad_data for reading, io for writing) that names the object and
// libhdf5's own reason; libhdf5 itself prints nothing.

#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/files/atomic_file.hpp"

namespace lockstep::storage {

// Owns one HDF5 identifier of the kind that `Close` closes.
template <herr_t (*Close)(hid_t)>
class Hdf5Handle {
public:
    Hdf5Handle() = default;
    explicit Hdf5Handle(hid_t id) : id_(id) {}
    ~Hdf5Handle() {
        if (id_ >= 0) Close(id_);
    }
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
        std::swap(id_, other.id_);
        return *this;
    }
    Hdf5Handle(const Hdf5Handle&) = delete;
    hid_t id() const { return id_; }

private:
    hid_t id_ = H5I_INVALID_HID;
};
using Hdf5FileHandle = Hdf5Handle<H5Fclose>;
using Hdf5Group = Hdf5Handle<H5Gclose>;
using Hdf5DataSet = Hdf5Handle<H5Dclose>;
using Hdf5Space = Hdf5Handle<H5Sclose>;
using Hdf5Type = Hdf5Handle<H5Tclose>;
using Hdf5Properties = Hdf5Handle<H5Pclose>;
using Hdf5Attribute = Hdf5Handle<H5Aclose>;

// Stops libhdf5 from printing its errors, until the end of the scope.
class Hdf5Silence {
public:
    Hdf5Silence();
    ~Hdf5Silence();
    Hdf5Silence(const Hdf5Silence&) = delete;
    Hdf5Silence& operator=(const Hdf5Silence&) = delete;

private:
    H5E_auto2_t function_ = nullptr;
    void* client_data_ = nullptr;
};

// A file that is being built in memory.
class Hdf5Image {
public:
    Hdf5Image();
    Hdf5Image(const Hdf5Image&) = delete;
    Hdf5Image& operator=(const Hdf5Image&) = delete;

    hid_t root() const { return file_.id(); }
    Bytes bytes() const;  // of the whole file, as it stands now

private:
    Hdf5Silence silence_;  // outlives the file
    Hdf5FileHandle file_;
};

// A file that is read from memory. `origin` names it in messages.
class Hdf5Source {
public:
    Hdf5Source(std::span<const std::byte> bytes, std::string_view origin);
    Hdf5Source(const Hdf5Source&) = delete;
    Hdf5Source& operator=(const Hdf5Source&) = delete;

    hid_t root() const { return file_.id(); }
    std::size_t size() const { return size_; }  // bytes
    const std::string& origin() const { return origin_; }
    // Throws StorageError (bad_data): "ORIGIN: message".
    [[noreturn]] void refuse(std::string_view message) const;

private:
    Hdf5Silence silence_;
    std::string origin_;
    std::size_t size_;
    Hdf5FileHandle file_;
};

// ---- writing -----------------------------------------------------------------------------------

Hdf5Group create_group(hid_t parent, const std::string& name);
// A further name, in `parent`, of what already stands at `path` below it.
void link_member(hid_t parent, const std::string& path, const std::string& name);

// Where an array may stand: at once in one piece, or in chunks with a fletcher32 checksum each.
enum class Hdf5Layout { contiguous, checksummed };
void write_floats(hid_t parent, const std::string& name, std::span<const std::int64_t> shape,
                  std::span<const float> values, Hdf5Layout layout);
void write_bytes(hid_t parent, const std::string& name, std::span<const std::int64_t> shape,
                 std::span<const std::uint8_t> values);
void write_indices(hid_t parent, const std::string& name, std::span<const std::uint32_t> values);

void write_attribute(hid_t object, const std::string& name, std::int64_t value);
void write_attribute(hid_t object, const std::string& name, double value);
enum class TextEncoding { ascii, utf8 };
// Of variable length: a fixed-length one fails above 64 KB. Texts end at their first NUL.
void write_attribute(hid_t object, const std::string& name, const std::string& text,
                     TextEncoding encoding);
// Fixed-length strings, padded with NULs; above 64,512 bytes split into name0, name1, ..., as Keras
// does; an empty list as float64 of shape (0), as Keras does.
void write_attribute(hid_t object, const std::string& name, std::span<const std::string> texts);

// ---- reading; only hard links are followed, and nothing outside of the file --------------------

bool has_member(hid_t parent, const std::string& name);  // a link of any kind
// `path` may have several parts: "conv2d/kernel:0".
Hdf5Group open_group(const Hdf5Source& source, hid_t parent, const std::string& path);

struct FloatArray {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};
// Floating-point numbers of any size and byte order, rounded to float32.
FloatArray read_floats(const Hdf5Source& source, hid_t parent, const std::string& path);
struct ByteArray {
    std::vector<std::int64_t> shape;
    std::vector<std::uint8_t> values;
};
ByteArray read_bytes(const Hdf5Source& source, hid_t parent, const std::string& path);
std::vector<std::uint32_t> read_indices(const Hdf5Source& source, hid_t parent,
                                        const std::string& path);

bool has_attribute(hid_t object, const std::string& name);
std::vector<std::string> attribute_names(const Hdf5Source& source, hid_t object);  // sorted
enum class AttributeKind { integer, real, text, other };
AttributeKind attribute_kind(const Hdf5Source& source, hid_t object, const std::string& name);
std::int64_t read_integer_attribute(const Hdf5Source& source, hid_t object,
                                    const std::string& name);
double read_real_attribute(const Hdf5Source& source, hid_t object, const std::string& name);
std::string read_text_attribute(const Hdf5Source& source, hid_t object, const std::string& name);
// An array of strings in one piece or split (name0, name1, ...); an empty array of any type.
std::vector<std::string> read_texts_attribute(const Hdf5Source& source, hid_t object,
                                              const std::string& name);

}  // namespace lockstep::storage
