#include "trainer/data/hdf5_array.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <hdf5.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "trainer/config/errors.hpp"
#include "trainer/data/number_text.hpp"

namespace lockstep::trainer {

namespace {

// Read at once: whole chunks, since libhdf5 unpacks a chunk for each reading that touches it.
constexpr std::int64_t kBlock = std::int64_t{8} << 20;         // bytes, about
constexpr std::int64_t kLargestBlock = std::int64_t{1} << 28;  // whatever the chunks are
constexpr std::uint64_t kLargestRatio = 1'032;                 // of deflate

template <herr_t (*Close)(hid_t)>
class Owner {
public:
    explicit Owner(hid_t id) : id_(id) {}
    ~Owner() {
        if (id_ >= 0) Close(id_);
    }
    Owner(Owner&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
    Owner& operator=(Owner&&) = delete;
    hid_t id() const { return id_; }

private:
    hid_t id_;
};
using Hdf5DataSet = Owner<H5Dclose>;
using Hdf5Space = Owner<H5Sclose>;
using Hdf5Type = Owner<H5Tclose>;
using Hdf5Properties = Owner<H5Pclose>;

herr_t keep_first(unsigned int position, const H5E_error2_t* error, void* reason) {
    if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
    return 0;
}

// The result of a call, if it succeeded.
template <class Code>
Code need(Code code, const std::string& origin) {
    if (code >= 0) return code;
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
    throw_damaged(origin, fmt::format("it is damaged ({})", reason));
}

// libhdf5 prints nothing until the end of the scope, and closes nothing when the program ends.
class Silence {
public:
    Silence() {
        H5dont_atexit();
        H5Eget_auto2(H5E_DEFAULT, &function_, &client_data_);
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    }
    ~Silence() { H5Eset_auto2(H5E_DEFAULT, function_, client_data_); }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

private:
    H5E_auto2_t function_ = nullptr;
    void* client_data_ = nullptr;
};

hid_t open_file(const std::string& path) {
    const Hdf5Properties access(need(H5Pcreate(H5P_FILE_ACCESS), path));
    // Where a file system has no locks, libhdf5 would not read at all.
    need(H5Pset_file_locking(access.id(), false, true), path);
    return need(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), path);
}

class OpenHdf5 {
public:
    explicit OpenHdf5(const std::filesystem::path& path)
        : path_(path.string()), file_(open_file(path_)) {}

    hid_t id() const { return file_.id(); }
    const std::string& path() const { return path_; }
    std::uint64_t size() const {  // bytes
        hsize_t size = 0;
        need(H5Fget_filesize(id(), &size), path_);
        return size;
    }

private:
    Silence silence_;  // outlives the file
    std::string path_;
    Owner<H5Fclose> file_;
};

// ---- what of a data set is believed --------------------------------------------------------

Hdf5DataSet open_data_set(const OpenHdf5& file, const std::string& name,
                          const std::string& origin) {
    H5L_info_t link{};
    need(H5Lget_info(file.id(), name.c_str(), &link, H5P_DEFAULT), origin);
    if (link.type != H5L_TYPE_HARD)
        throw_damaged(origin, "it is a soft or external link; such are not followed");
    H5O_info_t object{};
    need(H5Oget_info_by_name(file.id(), name.c_str(), &object, H5P_DEFAULT), origin);
    if (object.type != H5O_TYPE_DATASET) throw_damaged(origin, "it is a group, and no array");
    return Hdf5DataSet(need(H5Dopen2(file.id(), name.c_str(), H5P_DEFAULT), origin));
}

// Without other files and plug-ins.
void require_own_content(hid_t properties, const std::string& origin) {
    if (H5Pget_layout(properties) == H5D_VIRTUAL ||
        need(H5Pget_external_count(properties), origin) > 0)
        throw_damaged(origin, "it keeps its values in another file; such are not read");
    const int filters = need(H5Pget_nfilters(properties), origin);
    for (int i = 0; i < filters; ++i) {
        unsigned int flags = 0;
        std::size_t no_values = 0;
        const H5Z_filter_t filter = H5Pget_filter2(properties, static_cast<unsigned int>(i), &flags,
                                                   &no_values, nullptr, 0, nullptr, nullptr);
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32)
            throw_damaged(origin, fmt::format("it is packed by filter {}; read are gzip, shuffle "
                                              "and fletcher32",
                                              filter));
    }
}

std::vector<std::int64_t> shape_of(hid_t data_set, const std::string& origin) {
    const Hdf5Space space(need(H5Dget_space(data_set), origin));
    if (H5Sget_simple_extent_type(space.id()) != H5S_SIMPLE)
        throw_damaged(origin, "it is a single value, and no array");
    const int rank = need(H5Sget_simple_extent_ndims(space.id()), origin);
    std::vector<hsize_t> sides(static_cast<std::size_t>(rank));
    need(H5Sget_simple_extent_dims(space.id(), sides.data(), nullptr), origin);
    std::vector<std::int64_t> shape;
    for (const hsize_t side : sides) {
        if (!std::in_range<std::int64_t>(side)) throw_damaged(origin, "its shape is absurd");
        shape.push_back(static_cast<std::int64_t>(side));
    }
    return shape;
}

// "|u1", "<i8", "<f4" (in memory they are little-endian); "other" for what are no plain numbers.
std::string type_of(hid_t type, const std::string& origin) {
    const H5T_class_t kind = H5Tget_class(type);
    const std::size_t size = H5Tget_size(type);
    const bool is_usual = size == 1 || size == 2 || size == 4 || size == 8;
    if (kind == H5T_FLOAT && is_usual) return fmt::format("<f{}", size);
    if (kind != H5T_INTEGER || !is_usual) return "other";
    const bool is_signed = need(H5Tget_sign(type), origin) == H5T_SGN_2;
    return fmt::format("{}{}{}", size == 1 ? '|' : '<', is_signed ? 'i' : 'u', size);
}

hid_t in_memory(const std::string& type) {
    static const std::pair<const char*, hid_t> kTypes[] = {
        {"|u1", H5T_STD_U8LE},  {"|i1", H5T_STD_I8LE},  {"<u2", H5T_STD_U16LE},
        {"<i2", H5T_STD_I16LE}, {"<u4", H5T_STD_U32LE}, {"<i4", H5T_STD_I32LE},
        {"<u8", H5T_STD_U64LE}, {"<i8", H5T_STD_I64LE}};
    const auto* const found = std::ranges::find(
        kTypes, type, [](const auto& one) { return std::string_view(one.first); });
    return found == std::end(kTypes) ? H5I_INVALID_HID : found->second;
}

// Elements of the shape; nothing if their bytes do not fit 63 bits.
std::optional<std::int64_t> count_of(std::span<const std::int64_t> shape) {
    std::int64_t count = 1;
    for (const std::int64_t side : shape)
        if (__builtin_mul_overflow(count, side, &count)) return {};
    return count > INT64_MAX / 8 ? std::nullopt : std::optional(count);
}

// ---- an array ------------------------------------------------------------------------------

class Hdf5Array : public PiecewiseArray {
public:
    Hdf5Array(std::shared_ptr<const OpenHdf5> file, const std::string& name)
        : PiecewiseArray(fmt::format("{}: {}", file->path(), name)),
          file_(std::move(file)),
          data_set_(open_data_set(*file_, name, origin_)) {
        const Hdf5Properties properties(need(H5Dget_create_plist(data_set_.id()), origin_));
        require_own_content(properties.id(), origin_);
        shape_ = shape_of(data_set_.id(), origin_);
        const Hdf5Type type(need(H5Dget_type(data_set_.id()), origin_));
        type_ = type_of(type.id(), origin_);
        element_size_ = static_cast<std::int64_t>(H5Tget_size(type.id()));
        require_content();
        choose_block(properties.id());
    }

    void require_end() override {
        if (next_row_ != shape_.front() || !is_piece_read())
            throw_damaged(origin_, "it has more elements than its shape");
    }

private:
    // Before anything is allocated: whether the file holds what the shape declares.
    void require_content() const {
        const auto count = count_of(shape_);
        const std::uint64_t stored = H5Dget_storage_size(data_set_.id());
        const auto declared = static_cast<std::uint64_t>(count.value_or(0) * element_size_);
        if (count == 0) throw_damaged(origin_, "it is empty");
        if (!count || stored == 0 || stored > file_->size() || declared / kLargestRatio > stored)
            throw_damaged(origin_, fmt::format("its shape ({}) asks for more than its {} bytes",
                                               fmt::join(shape_, ", "),
                                               with_commas(static_cast<std::int64_t>(stored))));
    }

    void choose_block(hid_t properties) {
        row_size_ = element_size_;
        for (const std::int64_t side : std::span(shape_).subspan(1)) row_size_ *= side;
        rows_ = std::max<std::int64_t>(kBlock / std::max<std::int64_t>(row_size_, 1), 1);
        if (H5Pget_layout(properties) != H5D_CHUNKED) return;
        std::vector<hsize_t> chunk(shape_.size());
        need(H5Pget_chunk(properties, static_cast<int>(chunk.size()), chunk.data()), origin_);
        const auto rows = static_cast<std::int64_t>(chunk.front());
        if (rows < kLargestBlock / std::max<std::int64_t>(row_size_, 1))
            rows_ = (rows_ + rows - 1) / rows * rows;
    }

    // The next rows of the first side.
    std::vector<std::uint8_t> next_piece() override {
        const std::int64_t count = std::min(rows_, shape_.front() - next_row_);
        const hid_t type = in_memory(type_);
        if (count < 1 || type < 0) throw_damaged(origin_, "it ends too early");
        std::vector<hsize_t> start(shape_.size(), 0), extent(shape_.begin(), shape_.end());
        start.front() = static_cast<hsize_t>(next_row_);
        extent.front() = static_cast<hsize_t>(count);
        const Hdf5Space whole(need(H5Dget_space(data_set_.id()), origin_));
        need(H5Sselect_hyperslab(whole.id(), H5S_SELECT_SET, start.data(), nullptr, extent.data(),
                                 nullptr),
             origin_);
        const Hdf5Space part(need(
            H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), origin_));
        std::vector<std::uint8_t> rows(static_cast<std::size_t>(count * row_size_));
        need(H5Dread(data_set_.id(), type, part.id(), whole.id(), H5P_DEFAULT, rows.data()),
             origin_);
        next_row_ += count;
        return rows;
    }

    std::shared_ptr<const OpenHdf5> file_;  // outlives the data set
    Hdf5DataSet data_set_;
    std::int64_t row_size_ = 0;  // bytes
    std::int64_t rows_ = 0;      // of a piece
    std::int64_t next_row_ = 0;
};

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

}  // namespace

std::vector<std::string> hdf5_names(const std::filesystem::path& path) {
    const OpenHdf5 file(path);
    std::vector<std::string> names;
    need(H5Literate(file.id(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &names), file.path());
    return names;
}

std::unique_ptr<StoredArray> open_hdf5_array(const std::filesystem::path& path,
                                             const std::string& name) {
    return std::make_unique<Hdf5Array>(std::make_shared<OpenHdf5>(path), name);
}

}  // namespace lockstep::trainer
