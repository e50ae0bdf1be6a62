#pragma once

// Work that nobody waits for: one thread does it, one piece at a time, in the order it was handed
// over. Disks and locks take their time there while training goes on.

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace lockstep::pipeline {

// All functions are called by one thread, the owner. What a piece of work uses (a database's
// connection, HDF5) the owner leaves alone until settle() has returned. Signals are delivered to
// other threads.
class BackgroundWriter {
public:
    using Work = std::function<void()>;

    // Throws std::system_error if the system gives no thread.
    BackgroundWriter();
    // Waits for the work in flight. What it throws is lost: settle() asks for it.
    ~BackgroundWriter();
    BackgroundWriter(const BackgroundWriter&) = delete;
    BackgroundWriter& operator=(const BackgroundWriter&) = delete;

    // Hands `work` over, once nothing is in flight. Throws what the work before threw, if nobody
    // was told yet; `work` is then dropped.
    void start(Work work);
    // Throws what the work in flight threw, once, if it has ended. Waits for nothing.
    void check();
    bool is_idle();  // nothing is in flight
    // Waits until nothing is in flight. Throws what the work threw, once.
    void settle();

private:
    void run();
    void throw_error();

    std::mutex mutex_;
    std::condition_variable changed_;
    // Under the mutex. An error is moved out by the owner: the thread is rid of it before it is
    // told.
    Work next_;  // from start() until the thread takes it
    bool is_in_flight_ = false;
    std::exception_ptr error_;
    bool is_ending_ = false;
    std::thread thread_;
};

}  // namespace lockstep::pipeline
