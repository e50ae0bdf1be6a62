#pragma once

// Inside trainer/data only: files of named arrays of numbers, NumPy's .npz or HDF5.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lockstep::trainer {

// Everything below throws DataError (damaged) for what is cut off, contradicts itself, fails its
// check sum, or is no array of numbers.

// One array, from its first element to its last.
class StoredArray {
public:
    virtual ~StoredArray() = default;
    StoredArray(const StoredArray&) = delete;
    StoredArray& operator=(const StoredArray&) = delete;

    const std::string& origin() const { return origin_; }  // "mnist.npz: x_train"
    const std::string& type() const { return type_; }      // as NumPy has it: "|u1", "<i8"
    const std::vector<std::int64_t>& shape() const { return shape_; }
    std::int64_t element_size() const { return element_size_; }  // bytes

    virtual void read(std::span<std::uint8_t> bytes) = 0;  // of whole elements
    virtual void require_end() = 0;                        // and that the bytes were right

protected:
    explicit StoredArray(std::string origin) : origin_(std::move(origin)) {}

    std::string origin_;
    std::string type_;
    std::vector<std::int64_t> shape_;
    std::int64_t element_size_ = 0;
};

// One that comes in pieces.
class PiecewiseArray : public StoredArray {
public:
    void read(std::span<std::uint8_t> bytes) override;

protected:
    using StoredArray::StoredArray;
    virtual std::vector<std::uint8_t> next_piece() = 0;
    bool is_piece_read() const { return place_ == piece_.size(); }

private:
    std::vector<std::uint8_t> piece_;
    std::size_t place_ = 0;  // in the piece, of what is read next
};

class ArrayFile {
public:
    virtual ~ArrayFile() = default;
    ArrayFile(const ArrayFile&) = delete;
    ArrayFile& operator=(const ArrayFile&) = delete;

    virtual std::vector<std::string> names() const = 0;  // of its arrays, sorted
    virtual std::unique_ptr<StoredArray> open(const std::string& name) const = 0;  // one of them

protected:
    ArrayFile() = default;
};

// By its first bytes, whatever it is called. Throws DataError as RegularFile does, too.
std::unique_ptr<ArrayFile> open_array_file(const std::filesystem::path& path);

}  // namespace lockstep::trainer
