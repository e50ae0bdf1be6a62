#include "pipeline/recording/lease_keeper.hpp"

#include <time.h>

#include <exception>
#include <utility>

#include "pipeline/ranks/signals_held_back.hpp"
#include "storage/database/run_database.hpp"
#include "storage/files/storage_error.hpp"

namespace lockstep::pipeline {
namespace {

constexpr int kHeartbeatsPerLease = 4;
constexpr int kLeasesWithoutProgress = 10;
// The destructor waits for a heartbeat in its midst.
constexpr std::chrono::milliseconds kLongestWait{1000};

}  // namespace

LeaseKeeper::LeaseKeeper(std::filesystem::path database, std::string run, int attempt,
                         std::chrono::seconds lease, bool has_lock)
    : database_(std::move(database)),
      run_(std::move(run)),
      attempt_(attempt),
      lease_(lease),
      has_lock_(has_lock) {
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { this->run(); });
}

LeaseKeeper::~LeaseKeeper() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void LeaseKeeper::note_progress() { progress_ = now(); }

LeaseKeeper::Clock::rep LeaseKeeper::now() {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    const auto since_boot =
        std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    return std::chrono::duration_cast<Clock::duration>(since_boot).count();
}

bool LeaseKeeper::holds_run() const {
    return has_lock_ || Clock::duration(now() - renewed_) < lease_;
}

void LeaseKeeper::run() {
    const auto interval =
        std::chrono::duration_cast<std::chrono::milliseconds>(lease_) / kHeartbeatsPerLease;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, interval, [this] { return is_ending_; })) {
        if (Clock::duration(now() - progress_) > kLeasesWithoutProgress * lease_) continue;
        lock.unlock();
        renew();
        lock.lock();
    }
}

// Its connection lasts no longer than a heartbeat: a database that is replaced meanwhile is found.
void LeaseKeeper::renew() {
    const Clock::rep begun = now();
    try {
        storage::RunDatabase database(database_, storage::DatabaseAccess::read_write_again,
                                      kLongestWait);
        database.renew_lease(run_, attempt_);
        renewed_ = begun;
    } catch (const storage::StorageError& error) {
        if (error.kind() == storage::StorageError::Kind::taken_over) is_taken_over_ = true;
    } catch (const std::exception&) {
        // Out of memory, say: the next one may succeed.
    }
}

}  // namespace lockstep::pipeline
