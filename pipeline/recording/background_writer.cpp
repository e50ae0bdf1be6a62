#include "pipeline/recording/background_writer.hpp"

#include <utility>

#include "pipeline/ranks/signals_held_back.hpp"

namespace lockstep::pipeline {
namespace {

std::exception_ptr error_of(const BackgroundWriter::Work& work) {
    try {
        work();
    } catch (...) {
        return std::current_exception();
    }
    return nullptr;
}

}  // namespace

BackgroundWriter::BackgroundWriter() {
    const SignalsHeldBack held_back;
    thread_ = std::thread([this] { run(); });
}

BackgroundWriter::~BackgroundWriter() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void BackgroundWriter::start(Work work) {
    settle();
    {
        const std::lock_guard lock(mutex_);
        next_ = std::move(work);
        is_in_flight_ = true;
    }
    changed_.notify_all();
}

void BackgroundWriter::check() { throw_error(); }

bool BackgroundWriter::is_idle() {
    const std::lock_guard lock(mutex_);
    return !is_in_flight_;
}

void BackgroundWriter::settle() {
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !is_in_flight_; });
    }
    throw_error();
}

void BackgroundWriter::throw_error() {
    std::exception_ptr error;
    {
        const std::lock_guard lock(mutex_);
        error = std::exchange(error_, nullptr);
    }
    if (error) std::rethrow_exception(std::move(error));
}

// Work that was handed over is done, also if the end was asked for before it was taken.
void BackgroundWriter::run() {
    for (;;) {
        Work work;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return is_ending_ || next_; });
            if (!next_) return;
            work = std::exchange(next_, nullptr);
        }
        std::exception_ptr error = error_of(work);
        work = nullptr;  // what it holds is freed before settle() returns
        {
            const std::lock_guard lock(mutex_);
            error_ = std::exchange(error, nullptr);
            is_in_flight_ = false;
        }
        changed_.notify_all();
    }
}

}  // namespace lockstep::pipeline
