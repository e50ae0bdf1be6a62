#include "tests/support/allocation_counter.hpp"

#include <dlfcn.h>
#include <execinfo.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <string_view>

// glibc's own names of what is replaced below.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
void* __libc_valloc(std::size_t size);
void* __libc_pvalloc(std::size_t size);
}

namespace lockstep::tests {
namespace {

constexpr int kFrames = 32;

struct Counter {
    bool is_counting = false;
    int ours = 0;
    int of_libraries = 0;
    const char* first_of_libraries = "";
};
thread_local Counter counter;  // of the thread that counts

// Libraries that allocate on their callers' behalf.
bool is_helper(std::string_view file) {
    for (const std::string_view name : {"/libc.so", "/libc-", "/libstdc++", "/libgcc_s", "/libfmt"})
        if (file.find(name) != std::string_view::npos) return true;
    return false;
}

const void* module_of_program() {
    Dl_info info{};
    dladdr(reinterpret_cast<const void*>(&is_helper), &info);
    return info.dli_fbase;
}

// From the one that asked for memory outwards; what stands in front of it is this file's.
std::span<void* const> frames_from(const void* caller, std::span<void* const> frames) {
    const auto first = std::find(frames.begin(), frames.end(), caller);
    return {first, frames.end()};
}

// The file of the library that asks for memory; null if it is this program.
const char* library_behind(const void* caller) {
    std::array<void*, kFrames> stack{};
    const auto depth = static_cast<std::size_t>(backtrace(stack.data(), kFrames));
    for (const void* frame : frames_from(caller, std::span(stack).first(depth))) {
        Dl_info info{};
        if (dladdr(frame, &info) == 0) continue;
        if (info.dli_fbase == module_of_program()) return nullptr;
        if (!is_helper(info.dli_fname)) return info.dli_fname;
    }
    return nullptr;
}

void note_allocation(const void* caller) {
    if (!counter.is_counting) return;
    counter.is_counting = false;  // what looks at the stack may allocate
    const char* library = library_behind(caller);
    if (library == nullptr) {
        ++counter.ours;
    } else if (counter.of_libraries++ == 0) {
        counter.first_of_libraries = library;
    }
    counter.is_counting = true;
}

}  // namespace

AllocationCount count_allocations(const std::function<void()>& work) {
    std::array<void*, 1> frame{};
    backtrace(frame.data(), 1);  // loads what it needs before anything is counted
    counter = {};
    counter.is_counting = true;
    work();
    counter.is_counting = false;
    return {counter.ours, counter.of_libraries, counter.first_of_libraries};
}

}  // namespace lockstep::tests

using lockstep::tests::note_allocation;

extern "C" {

void* malloc(std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    note_allocation(__builtin_return_address(0));
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}

void* valloc(std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_valloc(size);
}

void* pvalloc(std::size_t size) {
    note_allocation(__builtin_return_address(0));
    return __libc_pvalloc(size);
}

}  // extern "C"
