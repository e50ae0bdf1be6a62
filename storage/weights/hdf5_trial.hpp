#pragma once

// Inside storage only. libhdf5 itself ends the process on some damaged files: 1.10.8 follows a
// reference into its heap of texts that leads nowhere (H5HG_read). What is read from outside is
// therefore tried in a child process first.

#include <functional>
#include <string_view>

namespace lockstep::storage {

// Calls `read` in a child process, which ends behind it. Exceptions there count for nothing: who
// reads again gets them. Where the system gives no process, nothing is tried.
// Throws StorageError (bad_data) that names `origin` if the child was ended by a signal, or took
// more than two minutes.
void try_in_child(std::string_view origin, const std::function<void()>& read);

}  // namespace lockstep::storage
