#include "trainer/kernels/aligned_array.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

#include "trainer/config/out_of_memory.hpp"

namespace lockstep::trainer {

namespace {
constexpr std::size_t kHugePage = std::size_t{2} << 20;
}

template <class T>
AlignedArray<T>::AlignedArray(std::size_t size) : size_(size) {
    // Some slack behind the end lets a kernel finish its last vector.
    std::size_t bytes = (size * sizeof(T) + 2 * kAlignment - 1) / kAlignment * kAlignment;
    const bool is_large = bytes >= kHugePage;
    const std::size_t alignment = is_large ? kHugePage : kAlignment;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void* memory = std::aligned_alloc(alignment, bytes);
    if (memory == nullptr) throw OutOfMemory(bytes);
    // Streaming through huge pages is 3-10 % faster. A refusal costs nothing.
    if (is_large) madvise(memory, bytes, MADV_HUGEPAGE);
    std::memset(memory, 0, bytes);
    data_.reset(static_cast<T*>(memory));
}

template <class T>
void AlignedArray<T>::Free::operator()(T* data) const {
    std::free(data);
}

template class AlignedArray<float>;
template class AlignedArray<unsigned char>;
template class AlignedArray<std::uint16_t>;

}  // namespace lockstep::trainer
