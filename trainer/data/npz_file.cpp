#include "trainer/data/npz_file.hpp"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>

#include "trainer/config/errors.hpp"
#include "trainer/data/number_text.hpp"
#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::int64_t kMostHeader = 65'536;  // of a .npy file

[[noreturn]] void throw_no_archive(const std::string& path) {
    throw_damaged(path, "it is cut off, or no archive of numpy.savez()");
}

std::shared_ptr<zip> open_archive(const std::filesystem::path& path) {
    const RegularFile is_there(path);  // libzip's words are others, and a FIFO makes it wait
    zip_t* archive = zip_open(path.c_str(), ZIP_RDONLY, nullptr);
    if (archive == nullptr) throw_no_archive(path.string());
    return {archive, zip_discard};
}

std::map<std::string, std::uint64_t> members_of(zip* archive, const std::string& path) {
    constexpr std::string_view kEnding = ".npy";
    std::map<std::string, std::uint64_t> members;
    const auto count = static_cast<std::uint64_t>(zip_get_num_entries(archive, 0));
    for (std::uint64_t member = 0; member < count; ++member) {
        const char* known = zip_get_name(archive, member, ZIP_FL_ENC_RAW);
        if (known == nullptr) throw_damaged(path, "its list of arrays is damaged");
        std::string name = known;
        if (name.ends_with(kEnding)) name.resize(name.size() - kEnding.size());
        members[name] = member;
    }
    return members;
}

std::uint32_t number_at(std::span<const std::uint8_t> bytes, std::size_t size) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) number |= std::uint32_t{bytes[i]} << (8 * i);
    return number;
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

void NpyArray::Close::operator()(zip_file* member) const { zip_fclose(member); }

NpyArray::NpyArray(std::shared_ptr<zip> archive, std::uint64_t member, std::string origin)
    : StoredArray(std::move(origin)), archive_(std::move(archive)) {
    open(member);
    read_header();
    check_length();
}

void NpyArray::open(std::uint64_t member) {
    zip_stat_t stat;
    zip_stat_init(&stat);
    if (zip_stat_index(archive_.get(), member, 0, &stat) != 0 ||
        !std::in_range<std::int64_t>(stat.size) || !std::in_range<std::int64_t>(stat.comp_size))
        throw_damaged(origin_, "it is not where it should be");
    if (stat.comp_method != ZIP_CM_STORE && stat.comp_method != ZIP_CM_DEFLATE)
        throw_damaged(origin_, "it is neither stored nor deflated");
    packed_size_ = static_cast<std::int64_t>(stat.comp_size);
    size_ = left_ = static_cast<std::int64_t>(stat.size);
    member_.reset(zip_fopen_index(archive_.get(), member, 0));
    if (!member_)
        throw_damaged(origin_, fmt::format("it is damaged ({})", zip_strerror(archive_.get())));
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
    const std::int64_t size = number_at(length, length_size);
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
void NpyArray::check_length() const {
    std::int64_t bytes = element_size_;
    bool is_countable = true;
    for (const std::int64_t side : shape_)
        is_countable = !__builtin_mul_overflow(bytes, side, &bytes) && is_countable;
    if (!is_countable || bytes != left_ || element_size_ < 1)
        throw_damaged(origin_,
                      fmt::format("it has {} bytes of elements, and its shape asks for others",
                                  with_commas(left_)));
    // Deflate makes at most 1,032 bytes of one.
    if (left_ / 1'032 > packed_size_) throw_damaged(origin_, "so few bytes hold no such array");
}

void NpyArray::read(std::span<std::uint8_t> bytes) {
    const auto wanted = static_cast<std::int64_t>(bytes.size());
    if (wanted > left_) throw_damaged(origin_, "it ends too early");
    const zip_int64_t count = zip_fread(member_.get(), bytes.data(), bytes.size());
    if (count < 0)
        throw_damaged(origin_, fmt::format("it is damaged ({})", zip_file_strerror(member_.get())));
    if (count != wanted) throw_damaged(origin_, "it ends too early");
    left_ -= wanted;
}

// libzip looks at the check sum at the end of the data.
void NpyArray::require_end() {
    std::uint8_t beyond = 0;
    if (left_ != 0 || zip_fread(member_.get(), &beyond, 1) != 0)
        throw_damaged(origin_, "its bytes are not those that were written (CRC-32)");
}

// ---- the archive ---------------------------------------------------------------------------

NpzFile::NpzFile(const std::filesystem::path& path)
    : path_(path.string()),
      archive_(open_archive(path)),
      members_(members_of(archive_.get(), path_)) {}

std::vector<std::string> NpzFile::names() const {
    std::vector<std::string> names;
    for (const auto& [name, member] : members_) names.push_back(name);
    return names;
}

std::unique_ptr<StoredArray> NpzFile::open(const std::string& name) const {
    return std::make_unique<NpyArray>(archive_, members_.at(name),
                                      fmt::format("{}: {}", path_, name));
}

}  // namespace lockstep::trainer
