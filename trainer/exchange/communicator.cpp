#include "trainer/exchange/communicator.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

#include "liveness/pulse.hpp"

namespace lockstep::trainer {
namespace {

constexpr int kRootRank = 0;
constexpr auto kMaxMpiCount = static_cast<std::size_t>(std::numeric_limits<int>::max());

bool mpi_is_running() {
    int is_initialized = 0;
    int is_finalized = 0;
    MPI_Initialized(&is_initialized);
    MPI_Finalized(&is_finalized);
    return is_initialized != 0 && is_finalized == 0;
}

std::string mpi_text(int code) {
    std::array<char, MPI_MAX_ERROR_STRING> text{};
    int length = 0;
    if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) {
        return "MPI error " + std::to_string(code);
    }
    return std::string(text.data(), static_cast<std::size_t>(length));
}

MPI_Comm duplicate(MPI_Comm parent) {
    const liveness::Waiting waiting;
    MPI_Comm comm = MPI_COMM_NULL;
    check_mpi(MPI_Comm_dup(parent, &comm), "MPI_Comm_dup");
    return comm;
}

// Offsets of texts that lie one behind the other, and their total length at the end.
std::vector<std::uint64_t> text_offsets(std::span<const std::uint64_t> lengths) {
    std::vector<std::uint64_t> offsets(lengths.size() + 1, 0);
    std::partial_sum(lengths.begin(), lengths.end(), offsets.begin() + 1);
    return offsets;
}

std::vector<int> as_ints(std::span<const std::uint64_t> values) {
    std::vector<int> ints(values.size());
    std::transform(values.begin(), values.end(), ints.begin(),
                   [](std::uint64_t value) { return static_cast<int>(value); });
    return ints;
}

}  // namespace

void check_mpi(int code, const char* call) {
    if (code == MPI_SUCCESS) return;
    throw MpiError(std::string(call) + " failed: " + mpi_text(code));
}

MpiSession::MpiSession(int& argc, char**& argv) {
    int provided = MPI_THREAD_SINGLE;
    check_mpi(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    // Duplicates inherit the handler, so this covers every Communicator.
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN),
              "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    if (provided < MPI_THREAD_FUNNELED) {
        throw CommError(
            "this MPI library does not allow threads beside the one that communicates "
            "(MPI_THREAD_FUNNELED)");
    }
}

MpiSession::~MpiSession() {
    if (std::uncaught_exceptions() == 0 && mpi_is_running()) MPI_Finalize();
}

void abort_job(int exit_code) {
    if (mpi_is_running()) MPI_Abort(MPI_COMM_WORLD, exit_code);
    std::_Exit(exit_code);
}

Communicator::Communicator(MPI_Comm parent) : Communicator(duplicate(parent), 0) {}

Communicator::Communicator(MPI_Comm owned, int) : comm_(owned) {
    check_mpi(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check_mpi(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
    check_mpi(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

Communicator::~Communicator() {
    // MPI_Comm_free is collective: while an exception is on its way the other ranks may never come,
    // and the job is about to end anyway.
    if (comm_ == MPI_COMM_NULL || std::uncaught_exceptions() > 0 || !mpi_is_running()) return;
    MPI_Comm_free(&comm_);
}

Communicator::Communicator(Communicator&& other) noexcept
    : comm_(std::exchange(other.comm_, MPI_COMM_NULL)), rank_(other.rank_), size_(other.size_) {}

Communicator Communicator::split(int color) const {
    const liveness::Waiting waiting;
    MPI_Comm part = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split(comm_, color, rank_, &part), "MPI_Comm_split");
    return Communicator(part, 0);
}

Communicator Communicator::split_by_node() const {
    const liveness::Waiting waiting;
    MPI_Comm node = MPI_COMM_NULL;
    check_mpi(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &node),
              "MPI_Comm_split_type");
    return Communicator(node, 0);
}

bool Communicator::all_agree(bool value) const {
    const liveness::Waiting waiting;
    int all = value ? 1 : 0;
    check_mpi(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_INT, MPI_MIN, comm_), "MPI_Allreduce");
    return all == 1;
}

void Communicator::barrier() const {
    const liveness::Waiting waiting;
    check_mpi(MPI_Barrier(comm_), "MPI_Barrier");
}

void Communicator::sleep_until_all_come() const {
    const liveness::Waiting waiting;
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibarrier(comm_, &request), "MPI_Ibarrier");
    for (int all_came = 0; all_came == 0;) {
        check_mpi(MPI_Test(&request, &all_came, MPI_STATUS_IGNORE), "MPI_Test");
        if (all_came == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

void Communicator::broadcast(std::span<std::byte> bytes) const {
    const liveness::Waiting waiting;
    while (!bytes.empty()) {
        const std::size_t count = std::min(bytes.size(), kMaxMpiCount);
        check_mpi(MPI_Bcast(bytes.data(), static_cast<int>(count), MPI_BYTE, kRootRank, comm_),
                  "MPI_Bcast");
        bytes = bytes.subspan(count);
    }
}

std::string Communicator::broadcast_text(const std::string& text) const {
    std::uint64_t length = text.size();
    broadcast(std::as_writable_bytes(std::span(&length, 1)));
    std::string copy = is_root() ? text : std::string(length, '\0');
    broadcast(std::as_writable_bytes(std::span(copy.data(), copy.size())));
    return copy;
}

std::vector<std::string> Communicator::gather_texts(const std::string& text) const {
    const liveness::Waiting waiting;
    const std::uint64_t length = text.size();
    std::vector<std::uint64_t> lengths(static_cast<std::size_t>(size_));
    check_mpi(MPI_Allgather(&length, 1, MPI_UINT64_T, lengths.data(), 1, MPI_UINT64_T, comm_),
              "MPI_Allgather");
    const std::vector<std::uint64_t> offsets = text_offsets(lengths);
    if (offsets.back() > kMaxMpiCount) {  // every rank sees the same lengths, so all throw
        throw CommError("the texts to gather are longer than 2 GiB together");
    }
    std::string all(offsets.back(), '\0');
    const std::vector<int> counts = as_ints(lengths);
    const std::vector<int> starts = as_ints(std::span(offsets).first(lengths.size()));
    check_mpi(MPI_Allgatherv(text.data(), static_cast<int>(length), MPI_CHAR, all.data(),
                             counts.data(), starts.data(), MPI_CHAR, comm_),
              "MPI_Allgatherv");
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        texts.push_back(all.substr(offsets[i], lengths[i]));
    }
    return texts;
}

void Communicator::all_gather(std::span<const double> own, std::span<double> all,
                              std::span<const int> counts, std::span<const int> offsets) const {
    const auto ranks = static_cast<std::size_t>(size_);
    if (counts.size() != ranks || offsets.size() != ranks) {
        throw std::invalid_argument("all_gather needs one count and one offset for each rank");
    }
    if (!std::in_range<int>(own.size()) ||
        static_cast<int>(own.size()) != counts[static_cast<std::size_t>(rank_)]) {
        throw std::invalid_argument("all_gather: this rank's values are not as many as its count");
    }
    for (std::size_t i = 0; i < ranks; ++i) {
        const bool fits =
            counts[i] >= 0 && offsets[i] >= 0 &&
            static_cast<std::size_t>(counts[i]) + static_cast<std::size_t>(offsets[i]) <=
                all.size();
        if (!fits) throw std::invalid_argument("all_gather: the result has no room for all ranks");
    }
    const liveness::Waiting waiting;
    check_mpi(MPI_Allgatherv(own.data(), static_cast<int>(own.size()), MPI_DOUBLE, all.data(),
                             counts.data(), offsets.data(), MPI_DOUBLE, comm_),
              "MPI_Allgatherv");
}

}  // namespace lockstep::trainer
