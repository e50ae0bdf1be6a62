#include "trainer/data/hdf5_array_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>

#include "trainer/config/errors.hpp"
#include "trainer/data/hdf5_array.hpp"
#include "trainer/data/reading_child.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 20;  // bytes

std::span<const std::uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// First what it is, then its elements in pieces.
void tell_array(StoredArray& array, const ReadingChild::Tell& tell) {
    tell(bytes_of(fmt::format("{} {} {}", array.type(), array.element_size(),
                              fmt::join(array.shape(), " "))));
    std::int64_t left = array.element_size();
    for (const std::int64_t side : array.shape()) left *= side;
    std::vector<std::uint8_t> piece(static_cast<std::size_t>(std::min(left, kPiece)));
    for (; left > 0; left -= static_cast<std::int64_t>(piece.size())) {
        piece.resize(static_cast<std::size_t>(std::min(left, kPiece)));
        array.read(piece);
        tell(piece);
    }
    array.require_end();
}

class ToldArray : public PiecewiseArray {
public:
    ToldArray(const std::filesystem::path& path, const std::string& name)
        : PiecewiseArray(fmt::format("{}: {}", path.string(), name)),
          child_(origin_, [path, name](const ReadingChild::Tell& tell) {
              tell_array(*open_hdf5_array(path, name), tell);
          }) {
        const auto head = next_piece();
        std::istringstream words(std::string(head.begin(), head.end()));
        words >> type_ >> element_size_;
        for (std::int64_t side = 0; words >> side;) shape_.push_back(side);
    }

    void require_end() override {
        if (!is_piece_read() || child_.next())
            throw_damaged(origin_, "it has more elements than its shape");
    }

private:
    std::vector<std::uint8_t> next_piece() override {
        auto piece = child_.next();
        if (!piece) throw_damaged(origin_, "it ends too early");
        return *std::move(piece);
    }

    ReadingChild child_;
};

}  // namespace

std::vector<std::string> Hdf5ArrayFile::names() const {
    if (!may_read_in_child()) return hdf5_names(path_);
    ReadingChild child(path_.string(), [this](const ReadingChild::Tell& tell) {
        for (const std::string& name : hdf5_names(path_)) tell(bytes_of(name));
    });
    std::vector<std::string> names;
    while (const auto piece = child.next()) names.emplace_back(piece->begin(), piece->end());
    return names;
}

std::unique_ptr<StoredArray> Hdf5ArrayFile::open(const std::string& name) const {
    if (may_read_in_child()) return std::make_unique<ToldArray>(path_, name);
    return open_hdf5_array(path_, name);
}

}  // namespace lockstep::trainer
