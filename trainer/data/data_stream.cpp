#include "trainer/data/data_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "trainer/config/errors.hpp"
#include "trainer/data/inflater.hpp"
#include "trainer/data/number_text.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::int64_t kMostFromOneByte = 1'032;  // deflate: 258 bytes from two bits

}  // namespace

DataStream::DataStream(const std::filesystem::path& path) : path_(path.string()), file_(path) {
    const std::size_t count = file_.size() < 2 ? 0 : 2;
    file_.read(std::span(first_).first(count));
    position_ = static_cast<std::int64_t>(count);
    first_count_ = count;
    if (count == 2 && first_[0] == 0x1f && first_[1] == 0x8b)
        inflater_ = std::make_unique<Inflater>();
}

DataStream::~DataStream() = default;
DataStream::DataStream(DataStream&& other) noexcept = default;

bool DataStream::can_hold(std::int64_t bytes) const {
    return bytes / (is_packed() ? kMostFromOneByte : 1) <= file_.size();
}

void DataStream::read(std::span<std::uint8_t> bytes) {
    if (is_packed()) {
        while (!bytes.empty()) {
            const std::size_t count = unpack(bytes);
            if (count == 0)
                throw_damaged(path_,
                              fmt::format("its unpacked data end {} bytes too early",
                                          with_commas(static_cast<std::int64_t>(bytes.size()))));
            bytes = bytes.subspan(count);
        }
        return;
    }
    const std::size_t from_first = std::min(first_count_, bytes.size());
    std::copy_n(first_ + 2 - first_count_, from_first, bytes.begin());
    first_count_ -= from_first;
    bytes = bytes.subspan(from_first);
    if (static_cast<std::int64_t>(bytes.size()) > unread())
        throw_damaged(path_, fmt::format("it ends after {} bytes", with_commas(file_.size())));
    file_.read(bytes);
    position_ += static_cast<std::int64_t>(bytes.size());
}

// Takes what comes next of the file, if it has more.
std::span<const std::uint8_t> DataStream::next_packed() {
    const std::span<std::uint8_t> room = inflater_->room();
    std::copy_n(first_ + 2 - first_count_, first_count_, room.begin());
    const auto count = static_cast<std::size_t>(
        std::min<std::int64_t>(unread(), static_cast<std::int64_t>(room.size() - first_count_)));
    file_.read(room.subspan(first_count_, count));
    position_ += static_cast<std::int64_t>(count);
    return room.first(std::exchange(first_count_, 0) + count);
}

// Some of the bytes; none at the end of the data.
std::size_t DataStream::unpack(std::span<std::uint8_t> bytes) {
    while (!inflater_->is_at_end()) {
        if (inflater_->is_hungry()) {
            const auto more = next_packed();
            if (more.empty()) throw_damaged(path_, "it is cut off: its gzip data do not end");
            inflater_->feed(more.size());
        }
        std::string problem;
        const std::size_t count = inflater_->inflate(bytes, problem);
        if (!problem.empty())
            throw_damaged(path_, fmt::format("its gzip data are damaged ({})", problem));
        if (count > 0) return count;
    }
    return 0;
}

void DataStream::require_end() {
    std::array<std::uint8_t, 1> more{};
    const bool has_more = is_packed() ? unpack(more) > 0 || !inflater_->is_hungry() || unread() > 0
                                      : unread() > 0 || first_count_ > 0;
    if (has_more) throw_damaged(path_, "it has more bytes than it declares");
}

}  // namespace lockstep::trainer
