#include "trainer/data/npz_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

#include "trainer/data/image_decoders.hpp"
#include "trainer/data/number_text.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::int64_t kEndSize = 22;
constexpr std::int64_t kLongestComment = 65'535;
constexpr std::size_t kCentralSize = 46;
constexpr std::int64_t kLocalSize = 30;
constexpr std::uint32_t kEndMark = 0x06054b50;
constexpr std::uint32_t kCentralMark = 0x02014b50;
constexpr std::uint32_t kLocalMark = 0x04034b50;
constexpr std::uint32_t kInZip64 = 0xffffffff;
constexpr std::int64_t kMostHeader = 65'536;  // of a .npy file

std::uint32_t number_at(std::span<const std::uint8_t> bytes, std::size_t place, std::size_t size) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) number |= std::uint32_t{bytes[place + i]} << (8 * i);
    return number;
}

std::vector<std::uint8_t> bytes_at(RegularFile& file, const std::string& origin, std::int64_t place,
                                   std::int64_t size) {
    if (place < 0 || size < 0 || place > file.size() - size)
        throw_damaged(origin, "it is cut off, or no archive of numpy.savez()");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    file.read_at(place, bytes);
    return bytes;
}

// The list of the archive's members.
std::vector<std::uint8_t> directory_of(RegularFile& file, const std::string& path, int& members) {
    const std::int64_t size = std::min(file.size(), kEndSize + kLongestComment);
    const auto tail = bytes_at(file, path, file.size() - size, size);
    for (std::int64_t at = size - kEndSize; at >= 0; --at) {
        const auto place = static_cast<std::size_t>(at);
        if (number_at(tail, place, 4) != kEndMark) continue;
        members = static_cast<int>(number_at(tail, place + 10, 2));
        return bytes_at(file, path, number_at(tail, place + 16, 4), number_at(tail, place + 12, 4));
    }
    throw_damaged(path, "it is cut off, or no archive of numpy.savez()");
}

std::map<std::string, ZipEntry> entries_of(RegularFile& file, const std::string& path) {
    constexpr std::string_view kEnding = ".npy";
    int members = 0;
    const auto directory = directory_of(file, path, members);
    std::map<std::string, ZipEntry> entries;
    std::size_t place = 0;
    for (int member = 0; member < members; ++member) {
        const bool has_room = place + kCentralSize <= directory.size();
        if (!has_room || number_at(directory, place, 4) != kCentralMark)
            throw_damaged(path, "its list of arrays is damaged");
        const auto number = [&](std::size_t at, std::size_t size) {
            return number_at(directory, place + at, size);
        };
        const std::size_t length = number(28, 2);
        const std::size_t end = place + kCentralSize + length + number(30, 2) + number(32, 2);
        if (end > directory.size()) throw_damaged(path, "its list of arrays is damaged");
        const auto* first = directory.data() + place + kCentralSize;
        std::string name(first, first + length);
        if ((number(8, 2) & 1) != 0) throw_damaged(path, name + " is encrypted");
        if (number(20, 4) == kInZip64 || number(24, 4) == kInZip64 || number(42, 4) == kInZip64)
            throw_damaged(path, name + " has 4 GiB or more, or lies behind them");
        if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
        entries[name] = {static_cast<int>(number(10, 2)), number(16, 4), number(20, 4),
                         number(24, 4), number(42, 4)};
        place = end;
    }
    return entries;
}

// ---- the dictionary of a .npy file ---------------------------------------------------------

// What stands behind the key, up to the end of the text; "" if it is not there.
std::string_view value_of(std::string_view dictionary, std::string_view key) {
    const std::size_t place = dictionary.find(fmt::format("'{}'", key));
    if (place == std::string_view::npos) return {};
    const std::size_t value = dictionary.find_first_not_of(": ", place + key.size() + 2);
    return value == std::string_view::npos ? std::string_view{} : dictionary.substr(value);
}

// "(60000, 28, 28)..." -> the numbers; nothing where it is no such text.
std::vector<std::int64_t> numbers_in(std::string_view tuple) {
    std::vector<std::int64_t> numbers;
    if (!tuple.starts_with('(')) return numbers;
    tuple = tuple.substr(1, tuple.find(')') == std::string_view::npos ? 0 : tuple.find(')') - 1);
    while (!tuple.empty()) {
        const std::size_t comma = std::min(tuple.find(','), tuple.size());
        std::string_view one = tuple.substr(0, comma);
        one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(one.data(), one.data() + one.size(), number);
        if (!one.empty()) {
            if (error != std::errc() || end != one.data() + one.size() || number < 0) return {};
            numbers.push_back(number);
        }
        tuple.remove_prefix(std::min(comma + 1, tuple.size()));
    }
    return numbers;
}

}  // namespace

// ---- an array ------------------------------------------------------------------------------

NpyArray::NpyArray(std::shared_ptr<RegularFile> file, std::string origin, const ZipEntry& entry)
    : file_(std::move(file)),
      origin_(std::move(origin)),
      entry_(entry),
      packed_left_(entry.packed_size),
      left_(entry.size) {
    const auto header = bytes_at(*file_, origin_, entry.header_place, kLocalSize);
    if (number_at(header, 0, 4) != kLocalMark)
        throw_damaged(origin_, "it is not where it should be");
    place_ = entry.header_place + kLocalSize + number_at(header, 26, 2) + number_at(header, 28, 2);
    if (place_ > file_->size() - packed_left_) throw_damaged(origin_, "it is cut off");
    if (entry.method == 8)
        inflater_ = std::make_unique<Inflater>(Inflater::Frame::none);
    else if (entry.method != 0 || entry.packed_size != entry.size)
        throw_damaged(origin_, "it is neither stored nor deflated");
    read_header();
    check_length();
}

void NpyArray::read_header() {
    constexpr std::string_view kMagic = "\x93NUMPY";
    std::array<std::uint8_t, 8> start{};
    read(start);
    if (!std::equal(kMagic.begin(), kMagic.end(), start.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; }))
        throw_damaged(origin_, "it is no array of NumPy's");
    std::array<std::uint8_t, 4> length{};
    const std::size_t length_size = start[6] == 1 ? 2 : 4;
    read(std::span(length).first(length_size));
    const std::int64_t size = number_at(length, 0, length_size);
    if (size > kMostHeader) throw_damaged(origin_, "its header is too long");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    read(bytes);
    const std::string text(bytes.begin(), bytes.end());
    std::string_view type = value_of(text, "descr");
    type = type.starts_with('\'') ? type.substr(1, type.find('\'', 1) - 1) : std::string_view{};
    type_ = type;
    shape_ = numbers_in(value_of(text, "shape"));
    if (type_.size() < 3 || shape_.empty() || value_of(text, "fortran_order").starts_with("True"))
        throw_damaged(origin_, "expected an array of numbers in C's order");
    std::from_chars(type_.data() + 2, type_.data() + type_.size(), element_size_);
}

// The elements that the shape declares are what is left of the member.
void NpyArray::check_length() {
    std::int64_t bytes = element_size_;
    for (const std::int64_t side : shape_) {
        if (side > 0 && bytes > entry_.size / side + 1) bytes = entry_.size;
        bytes *= side;
    }
    if (bytes != left_ || element_size_ < 1)
        throw_damaged(origin_,
                      fmt::format("it has {} bytes of elements, and its shape asks for others",
                                  with_commas(left_)));
    // Deflate makes at most 1,032 bytes of one.
    if (left_ / 1'032 > entry_.packed_size)
        throw_damaged(origin_, "so few bytes hold no such array");
}

void NpyArray::read(std::span<std::uint8_t> bytes) {
    if (static_cast<std::int64_t>(bytes.size()) > left_)
        throw_damaged(origin_, "it ends too early");
    left_ -= static_cast<std::int64_t>(bytes.size());
    while (!bytes.empty()) {
        const std::size_t count = read_packed(bytes);
        if (count == 0) throw_damaged(origin_, "it ends too early");
        checksum_ = crc32_of(checksum_, bytes.first(count));
        bytes = bytes.subspan(count);
    }
}

// Some of the bytes; none at the end of the data.
std::size_t NpyArray::read_packed(std::span<std::uint8_t> bytes) {
    const auto take = [&](std::span<std::uint8_t> room) {
        const auto count = static_cast<std::size_t>(
            std::min(packed_left_, static_cast<std::int64_t>(room.size())));
        file_->read_at(place_, room.first(count));
        place_ += static_cast<std::int64_t>(count);
        packed_left_ -= static_cast<std::int64_t>(count);
        return count;
    };
    if (inflater_ == nullptr) return take(bytes);
    while (!inflater_->is_at_end()) {
        if (inflater_->is_hungry()) {
            if (packed_left_ == 0) return 0;
            inflater_->feed(take(inflater_->room()));
        }
        std::string problem;
        const std::size_t count = inflater_->inflate(bytes, problem);
        if (!problem.empty()) throw_damaged(origin_, fmt::format("it is damaged ({})", problem));
        if (count > 0) return count;
    }
    return 0;
}

void NpyArray::require_end() {
    if (left_ != 0 || checksum_ != entry_.checksum)
        throw_damaged(origin_, "its bytes are not those that were written (CRC-32)");
}

// ---- the archive ---------------------------------------------------------------------------

NpzFile::NpzFile(const std::filesystem::path& path)
    : path_(path.string()),
      file_(std::make_shared<RegularFile>(path)),
      entries_(entries_of(*file_, path_)) {}

std::vector<std::string> NpzFile::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_) names.push_back(name);
    return names;
}

NpyArray NpzFile::open(const std::string& name) const {
    return {file_, fmt::format("{}: {}", path_, name), entries_.at(name)};
}

}  // namespace lockstep::trainer
