// Memory that the system refuses once: preloaded, lets the n-th `new` of at least so many bytes
// fail. Which one stands in LOCKSTEP_TEST_ALLOCATION: "BYTES N MARK"; when it happens, the file
// MARK is made.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

struct Refusal {
    std::size_t bytes = 0;
    long number = 0;
    std::array<char, 1024> mark{};
};

// Allocates nothing itself.
const Refusal& refusal() {
    static const Refusal kWanted = [] {
        Refusal parsed;
        const char* text = std::getenv("LOCKSTEP_TEST_ALLOCATION");
        if (text != nullptr)
            std::sscanf(text, "%zu %ld %1023s", &parsed.bytes, &parsed.number, parsed.mark.data());
        return parsed;
    }();
    return kWanted;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    static std::atomic<long> calls{0};
    if (refusal().number > 0 && bytes >= refusal().bytes && ++calls == refusal().number) {
        ::close(::open(refusal().mark.data(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        throw std::bad_alloc();
    }
    const std::size_t whole = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment;
    void* memory = std::aligned_alloc(alignment, whole * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
