#include "trainer/data/inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>

namespace lockstep::trainer {

namespace {

constexpr int kGzipOfAnyWindow = 15 + 16;

}  // namespace

Inflater::Inflater()
    : state_(std::make_unique<z_stream>()), packed_(std::make_unique<std::uint8_t[]>(kRoom)) {
    if (::inflateInit2(state_.get(), kGzipOfAnyWindow) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() { ::inflateEnd(state_.get()); }

bool Inflater::is_hungry() const { return state_->avail_in == 0; }

void Inflater::feed(std::size_t count) {
    state_->next_in = packed_.get();
    state_->avail_in = static_cast<unsigned>(count);
}

std::size_t Inflater::inflate(std::span<std::uint8_t> bytes, std::string& problem) {
    constexpr std::size_t kMost = 1 << 30;  // zlib counts in 32 bits
    const std::size_t wanted = std::min(bytes.size(), kMost);
    state_->next_out = bytes.data();
    state_->avail_out = static_cast<unsigned>(wanted);
    const int status = ::inflate(state_.get(), Z_NO_FLUSH);
    if (status == Z_STREAM_END) is_at_end_ = true;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_DATA_ERROR || status == Z_NEED_DICT || status == Z_STREAM_ERROR)
        problem = state_->msg != nullptr ? state_->msg : "not packed by deflate";
    return wanted - state_->avail_out;
}

}  // namespace lockstep::trainer
