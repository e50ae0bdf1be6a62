#include "trainer/exchange/shared_memory.hpp"

namespace lockstep::trainer {
namespace {

std::optional<MemoryFile> create_filled(std::size_t bytes) {
    std::optional<MemoryFile> file = MemoryFile::create(bytes);
    if (file && !file->fill_with_zeros(bytes)) file.reset();
    return file;
}

std::optional<FileMapping> map_at(const MemoryFile::Address& address, std::size_t bytes) {
    const std::optional<MemoryFile> file = MemoryFile::open_to_write(address);
    if (!file) return std::nullopt;
    return file->map_to_write(bytes);
}

}  // namespace

std::optional<SharedMemory> SharedMemory::map(const Communicator& comm, std::size_t bytes) {
    // true on all ranks or on none
    if (comm.split_by_node().size() != comm.size()) return std::nullopt;
    const auto created = comm.is_root() ? create_filled(bytes) : std::nullopt;
    MemoryFile::Address address = created ? created->address() : MemoryFile::Address{};
    comm.broadcast(std::as_writable_bytes(std::span(&address, 1)));
    std::optional<FileMapping> mapping = map_at(address, bytes);
    // Rank 0 keeps its file open until all have answered.
    if (!comm.all_agree(mapping.has_value())) return std::nullopt;
    return SharedMemory(std::move(*mapping));
}

}  // namespace lockstep::trainer
