#include "trainer/data/array_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "trainer/config/errors.hpp"
#include "trainer/data/hdf5_array_file.hpp"
#include "trainer/data/npz_file.hpp"
#include "trainer/data/regular_file.hpp"

namespace lockstep::trainer {

void PiecewiseArray::read(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        if (is_piece_read()) {
            piece_ = next_piece();
            place_ = 0;
        }
        const std::size_t count = std::min(bytes.size(), piece_.size() - place_);
        std::memcpy(bytes.data(), piece_.data() + place_, count);
        place_ += count;
        bytes = bytes.subspan(count);
    }
}

std::unique_ptr<ArrayFile> open_array_file(const std::filesystem::path& path) {
    constexpr std::string_view kHdf5 = "\x89HDF\r\n\x1a\n", kZip = "PK";
    RegularFile file(path);
    std::array<std::uint8_t, kHdf5.size()> start{};
    file.read(
        std::span(start).first(std::min(start.size(), static_cast<std::size_t>(file.size()))));
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (text == kHdf5) return std::make_unique<Hdf5ArrayFile>(path);
    if (text.starts_with(kZip)) return std::make_unique<NpzFile>(path);
    throw_damaged(path.string(), "it is neither an archive of numpy.savez() nor HDF5");
}

}  // namespace lockstep::trainer
