#pragma once

// How the ranks of a communicator fail together: what goes wrong on one of them becomes the same
// error on all.

#include <exception>

#include "pipeline/failure/failure.hpp"
#include "trainer/exchange/communicator.hpp"

namespace lockstep::pipeline {

// Throws AgreedFailure on every rank if any of them brings an error: that of the lowest such rank.
// Collective; the ranks without an error pass null.
void agree_on_errors(const trainer::Communicator& comm, const std::exception_ptr& error);

// Runs `work`, which must not communicate, on every rank of `comm`, and agrees on its errors.
template <class Work>
void do_on_all(const trainer::Communicator& comm, Work&& work) {
    std::exception_ptr error;
    try {
        work();
    } catch (...) {
        error = std::current_exception();
    }
    agree_on_errors(comm, error);
}

// As do_on_all(), with `work` on rank 0 alone.
template <class Work>
void do_on_root(const trainer::Communicator& comm, Work&& work) {
    do_on_all(comm, [&] {
        if (comm.is_root()) work();
    });
}

}  // namespace lockstep::pipeline
