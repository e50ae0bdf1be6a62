#pragma once

// MPI behind one owner per handle. Errors come back as CommError with MPI's own text.

#include <mpi.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace lockstep::trainer {

// Messages of at most so many bytes are sent at once: from 64 KiB on Open MPI's TCP asks the
// receiver first, which takes two latencies more (docs/exchange.md).
inline constexpr std::size_t kMostBytesAtOnce = 60 * 1024;

class CommError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A call of MPI failed: as good as always a peer, or the network to it, is gone.
class MpiError : public CommError {
public:
    using CommError::CommError;
};

// Throws MpiError with MPI's text unless `code` is MPI_SUCCESS. `call` names the call.
void check_mpi(int code, const char* call);

// MPI from start to end: one object in main. MPI_THREAD_FUNNELED.
class MpiSession {
public:
    MpiSession(int& argc, char**& argv);
    ~MpiSession();  // finalizes, unless an exception is on its way: then peers may still wait for
                    // this rank, and the caller ends the job with abort_job()
    MpiSession(const MpiSession&) = delete;
    MpiSession& operator=(const MpiSession&) = delete;
};

// Ends every rank of the job with `exit_code`.
[[noreturn]] void abort_job(int exit_code);

// A group of ranks. Owns its MPI communicator (a duplicate, with errors returned).
class Communicator {
public:
    explicit Communicator(MPI_Comm parent);  // collective: duplicates
    ~Communicator();
    Communicator(Communicator&& other) noexcept;
    Communicator& operator=(Communicator&&) = delete;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;

    int rank() const { return rank_; }
    int size() const { return size_; }
    bool is_root() const { return rank_ == 0; }
    MPI_Comm handle() const { return comm_; }

    // Ranks with the same `color`, ordered by rank. Collective.
    Communicator split(int color) const;
    // Ranks on the same node, ordered by rank. Collective.
    Communicator split_by_node() const;

    void barrier() const;
    // Whether `value` is true on every rank.
    bool all_agree(bool value) const;
    // As barrier(); but who waits sleeps, and leaves its core to those that still compute. Seen
    // within a millisecond.
    void sleep_until_all_come() const;
    // Copies rank 0's bytes to all; lengths are equal on all ranks.
    void broadcast(std::span<std::byte> bytes) const;
    std::string broadcast_text(const std::string& text) const;  // rank 0's text, any length
    // Every rank's text, by rank, on every rank.
    std::vector<std::string> gather_texts(const std::string& text) const;
    // Rank r contributes counts[r] doubles; all[] is the concatenation, in rank order, on all
    // ranks.
    void all_gather(std::span<const double> own, std::span<double> all, std::span<const int> counts,
                    std::span<const int> offsets) const;

private:
    Communicator(MPI_Comm owned, int);  // takes over the handle
    MPI_Comm comm_ = MPI_COMM_NULL;
    int rank_ = 0;
    int size_ = 1;
};

}  // namespace lockstep::trainer
