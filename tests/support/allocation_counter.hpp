#pragma once

// Counts what a piece of work takes from the heap, whichever way it asks: the program that links
// this replaces malloc, calloc, realloc, aligned_alloc, memalign, posix_memalign, valloc and
// pvalloc, to which operator new comes too. Only the calling thread is counted: MPI has threads of
// its own.
//
// An allocation belongs to the first module on the stack that is not the C or C++ library: to this
// program, which holds the trainer's code (and fmt's, where that library formats for us), or to
// oneDNN, MPI or what these call. So a std::string that grows inside libstdc++ is ours, and the
// request that MPI_Isend makes for itself is MPI's.

#include <cstddef>
#include <functional>
#include <string>

namespace lockstep::tests {

struct AllocationCount {
    int ours = 0;
    int of_libraries = 0;            // oneDNN's and MPI's, which are theirs to decide
    std::string first_of_libraries;  // the file of the library that made the first of those
};

AllocationCount count_allocations(const std::function<void()>& work);

}  // namespace lockstep::tests
