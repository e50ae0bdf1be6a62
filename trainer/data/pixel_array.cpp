#include "trainer/data/pixel_array.hpp"

#include <utility>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {

namespace {

constexpr const char* kPurpose = "the images of the data set";

}  // namespace

PixelArray::PixelArray(std::vector<std::uint8_t> pixels)
    : own_(std::make_shared<const std::vector<std::uint8_t>>(std::move(pixels))), bytes_(*own_) {}

PixelArray::PixelArray(MemoryFile file, FileMapping mapping)
    : in_file_(std::make_shared<const InFile>(InFile{std::move(file), std::move(mapping)})) {
    const std::span<const std::byte> mapped = in_file_->mapping.bytes();
    bytes_ = {reinterpret_cast<const std::uint8_t*>(mapped.data()), mapped.size()};
}

std::optional<PixelArray> PixelArray::at(const MemoryFile::Address& address, std::size_t size) {
    std::optional<MemoryFile> file = MemoryFile::open_to_read(address);
    if (!file) return std::nullopt;
    std::optional<FileMapping> mapping = file->map_to_read(size);
    if (!mapping) return std::nullopt;
    return PixelArray(std::move(*file), std::move(*mapping));
}

MemoryFile::Address PixelArray::address() const {
    return in_file_ == nullptr ? MemoryFile::Address{} : in_file_->file.address();
}

PixelWriter::PixelWriter(std::size_t size) : file_(MemoryFile::create(size)) {
    if (!file_) in_memory_for(kPurpose, size, [&] { own_.reserve(size); });
}

void PixelWriter::append(std::span<const std::uint8_t> pixels) {
    if (!file_) {
        in_memory_for(kPurpose, own_.size() + pixels.size(),
                      [&] { own_.insert(own_.end(), pixels.begin(), pixels.end()); });
        return;
    }
    if (!file_->append(std::as_bytes(pixels))) throw OutOfMemory(pixels.size(), kPurpose);
    written_ += pixels.size();
}

PixelArray PixelWriter::finish() && {
    if (!file_ || written_ == 0) return PixelArray(std::move(own_));
    std::optional<FileMapping> mapping = file_->map_to_read(written_);
    if (!mapping) throw OutOfMemory(written_, kPurpose);
    return PixelArray(std::move(*file_), std::move(*mapping));
}

}  // namespace lockstep::trainer
