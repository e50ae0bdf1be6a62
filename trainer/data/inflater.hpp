#pragma once

// Inside trainer/data only: what gzip packed, by zlib, a piece at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct z_stream_s;  // zlib's z_stream

namespace lockstep::trainer {

class Inflater {
public:
    Inflater();  // throws std::bad_alloc
    ~Inflater();
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;

    bool is_hungry() const;  // everything that it was fed is used
    bool is_at_end() const { return is_at_end_; }
    std::span<std::uint8_t> room() { return {packed_.get(), kRoom}; }
    void feed(std::size_t count);  // bytes, which stand in room()

    // Returns how many bytes came out; what is wrong with the data goes into `problem`.
    std::size_t inflate(std::span<std::uint8_t> bytes, std::string& problem);

private:
    static constexpr std::size_t kRoom = 1 << 16;

    std::unique_ptr<z_stream_s> state_;
    std::unique_ptr<std::uint8_t[]> packed_;
    bool is_at_end_ = false;
};

}  // namespace lockstep::trainer
