#pragma once

// Inside storage only. libhdf5 itself ends the process, or spoils its memory, on some damaged
// files: 1.10.8 follows a reference into its heap of texts that leads nowhere (H5HG_read). So a
// child process reads, and tells what it has read over a pipe.

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "storage/files/atomic_file.hpp"
#include "storage/records/records.hpp"
#include "storage/weights/plain_bytes.hpp"

namespace lockstep::storage {

// For PlainWriter and PlainReader, which find it by its type.
template <typename Plain>
void fields(Plain& plain, NamedArray& array) {
    plain(array.layer, array.name, array.shape, array.values);
}

// What `read` gives in a child process, which ends behind it; nothing where the system gives no
// process, and in ranks of MPI, which must not fork. It takes a GiB of memory at most, and sixteen
// times the bytes of the file. No other thread may be using libhdf5.
// Throws what `read` throws of StorageError and std::bad_alloc, and StorageError (bad_data) that
// names `origin` for any other exception, and if the child was ended by a signal or took more than
// two minutes.
std::optional<Bytes> read_in_child(std::string_view origin, std::size_t file_bytes,
                                   const std::function<Bytes()>& read);

// The same for a type of plain fields; `read` is called here where there is no child.
template <typename Read>
auto value_read_in_child(std::string_view origin, std::size_t file_bytes, Read read) {
    const auto told = read_in_child(origin, file_bytes, [&] {
        PlainWriter writer;
        auto value = read();
        writer(value);
        return writer.take();
    });
    if (!told) return read();
    decltype(read()) value;
    PlainReader reader(*told);
    reader(value);
    return value;
}

}  // namespace lockstep::storage
