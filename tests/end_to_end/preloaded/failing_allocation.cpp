// Memory that the system refuses once: preloaded, lets the n-th `new`, or the n-th array for
// kernels (aligned_alloc), of at least so many bytes fail. Which one stands in
// LOCKSTEP_TEST_ALLOCATION, or LOCKSTEP_TEST_ARRAY: "BYTES N MARK"; when it happens, the file MARK
// is made. Counted from main() on: before it libraries take memory, and nobody could tell why not.

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
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
Refusal read_refusal(const char* variable) {
    Refusal parsed;
    const char* text = std::getenv(variable);
    if (text != nullptr)
        std::sscanf(text, "%zu %ld %1023s", &parsed.bytes, &parsed.number, parsed.mark.data());
    return parsed;
}

using Main = int (*)(int, char**, char**);
Main program_main = nullptr;
std::atomic<bool> has_begun{false};

int begin(int count, char** arguments, char** environment) {
    has_begun = true;
    return program_main(count, arguments, environment);
}

bool is_refused(const Refusal& refusal, std::atomic<long>& calls, std::size_t bytes) {
    if (!has_begun || refusal.number <= 0 || bytes < refusal.bytes || ++calls != refusal.number)
        return false;
    ::close(::open(refusal.mark.data(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return true;
}

void* allocate(std::size_t bytes, std::size_t alignment) {
    static const Refusal refusal = read_refusal("LOCKSTEP_TEST_ALLOCATION");
    static std::atomic<long> calls{0};
    if (is_refused(refusal, calls, bytes)) throw std::bad_alloc();
    const std::size_t whole = (std::max<std::size_t>(bytes, 1) + alignment - 1) / alignment;
    void* memory = ::memalign(alignment, whole * alignment);
    if (memory == nullptr) throw std::bad_alloc();
    return memory;
}

}  // namespace

// What the C library starts a program with.
extern "C" int __libc_start_main(Main program, int count, char** arguments, void (*init)(),
                                 void (*fini)(), void (*loader_fini)(), void* stack_end) {
    program_main = program;
    const auto start =
        reinterpret_cast<decltype(&__libc_start_main)>(::dlsym(RTLD_NEXT, "__libc_start_main"));
    return start(begin, count, arguments, init, fini, loader_fini, stack_end);
}

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    static const Refusal refusal = read_refusal("LOCKSTEP_TEST_ARRAY");
    static std::atomic<long> calls{0};
    return is_refused(refusal, calls, bytes) ? nullptr : ::memalign(alignment, bytes);
}

void* operator new(std::size_t bytes) { return allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
