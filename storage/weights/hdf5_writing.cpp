#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

#include "storage/weights/hdf5.hpp"
#include "storage/weights/hdf5_check.hpp"

namespace lockstep::storage {
namespace {

constexpr std::size_t kLargestAttribute =
    64512;  // bytes; Keras splits above, so it is known to work
constexpr hsize_t kLargestChunk = hsize_t{1} << 18;  // elements

hsize_t count_of(std::span<const hsize_t> shape) {
    return std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
}

// Makes missing groups on the way of a path.
Hdf5Properties making_groups() {
    Hdf5Properties links(check_hdf5(H5Pcreate(H5P_LINK_CREATE), "prepare", "a link"));
    check_hdf5(H5Pset_create_intermediate_group(links.id(), 1), "prepare", "a link");
    return links;
}

Hdf5Space space_of(std::span<const hsize_t> shape) {
    return Hdf5Space(
        check_hdf5(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
                   "prepare", "a shape"));
}

// The shape, its longest side halved until a chunk is small enough.
std::vector<hsize_t> chunk_shape(std::span<const hsize_t> shape) {
    std::vector<hsize_t> chunk(shape.begin(), shape.end());
    while (count_of(chunk) > kLargestChunk) {
        hsize_t& longest = *std::max_element(chunk.begin(), chunk.end());
        longest = (longest + 1) / 2;
    }
    return chunk;
}

Hdf5Properties data_set_properties(std::span<const hsize_t> shape, Hdf5Layout layout) {
    Hdf5Properties properties(check_hdf5(H5Pcreate(H5P_DATASET_CREATE), "prepare", "a data set"));
    // A time of change would make every save differ.
    check_hdf5(H5Pset_obj_track_times(properties.id(), false), "prepare", "a data set");
    const bool has_chunks =
        layout == Hdf5Layout::checksummed && !shape.empty() && count_of(shape) > 0;
    if (has_chunks) {
        const std::vector<hsize_t> chunk = chunk_shape(shape);
        check_hdf5(H5Pset_chunk(properties.id(), static_cast<int>(chunk.size()), chunk.data()),
                   "prepare", "a data set");
        check_hdf5(H5Pset_fletcher32(properties.id()), "prepare", "a data set");
    }
    return properties;
}

struct ElementTypes {
    hid_t in_file;
    hid_t in_memory;
};

void write_data_set(hid_t parent, const std::string& name, std::span<const hsize_t> shape,
                    ElementTypes types, const void* values, Hdf5Layout layout) {
    const Hdf5DataSet data_set(check_hdf5(
        H5Dcreate2(parent, name.c_str(), types.in_file, space_of(shape).id(), making_groups().id(),
                   data_set_properties(shape, layout).id(), H5P_DEFAULT),
        "create the data set", name));
    if (count_of(shape) == 0) return;
    check_hdf5(H5Dwrite(data_set.id(), types.in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values),
               "write the data set", name);
}

// Checks that `count` values fill the shape.
std::vector<hsize_t> checked_shape(const std::string& name, std::span<const std::int64_t> shape,
                                   std::size_t count) {
    std::vector<hsize_t> sizes;
    for (const std::int64_t size : shape) {
        if (size < 0) throw std::invalid_argument(name + " has a negative size");
        sizes.push_back(static_cast<hsize_t>(size));
    }
    if (count_of(sizes) != count) {
        throw std::invalid_argument(name + ": its values do not fill its shape");
    }
    return sizes;
}

void write_attribute_values(hid_t object, const std::string& name, hid_t space, ElementTypes types,
                            const void* values) {
    const Hdf5Attribute attribute(
        check_hdf5(H5Acreate2(object, name.c_str(), types.in_file, space, H5P_DEFAULT, H5P_DEFAULT),
                   "create the attribute", name));
    check_hdf5(H5Awrite(attribute.id(), types.in_memory, values), "write the attribute", name);
}

Hdf5Space scalar_space() {
    return Hdf5Space(check_hdf5(H5Screate(H5S_SCALAR), "prepare", "an attribute"));
}

Hdf5Type text_type(std::size_t size, TextEncoding encoding) {
    Hdf5Type type(check_hdf5(H5Tcopy(H5T_C_S1), "prepare", "a text"));
    check_hdf5(H5Tset_size(type.id(), size), "prepare", "a text");
    check_hdf5(
        H5Tset_cset(type.id(), encoding == TextEncoding::utf8 ? H5T_CSET_UTF8 : H5T_CSET_ASCII),
        "prepare", "a text");
    return type;
}

void write_text_array(hid_t object, const std::string& name, std::span<const std::string> texts,
                      std::size_t width) {
    const Hdf5Type type = text_type(width, TextEncoding::ascii);
    check_hdf5(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "prepare", "a text");
    std::string padded(width * texts.size(), '\0');
    for (std::size_t i = 0; i < texts.size(); ++i) {
        std::memcpy(padded.data() + i * width, texts[i].data(), texts[i].size());
    }
    const hsize_t count = texts.size();
    write_attribute_values(object, name, space_of({&count, 1}).id(), {type.id(), type.id()},
                           padded.data());
}

}  // namespace

Hdf5Group create_group(hid_t parent, const std::string& name) {
    return Hdf5Group(
        check_hdf5(H5Gcreate2(parent, name.c_str(), making_groups().id(), H5P_DEFAULT, H5P_DEFAULT),
                   "create the group", name));
}

void link_member(hid_t parent, const std::string& path, const std::string& name) {
    check_hdf5(H5Lcreate_hard(parent, path.c_str(), parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
               "link", name);
}

void write_floats(hid_t parent, const std::string& name, std::span<const std::int64_t> shape,
                  std::span<const float> values, Hdf5Layout layout) {
    write_data_set(parent, name, checked_shape(name, shape, values.size()),
                   {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT}, values.data(), layout);
}

void write_bytes(hid_t parent, const std::string& name, std::span<const std::int64_t> shape,
                 std::span<const std::uint8_t> values) {
    write_data_set(parent, name, checked_shape(name, shape, values.size()),
                   {H5T_STD_U8LE, H5T_NATIVE_UINT8}, values.data(), Hdf5Layout::checksummed);
}

void write_indices(hid_t parent, const std::string& name, std::span<const std::uint32_t> values) {
    const hsize_t count = values.size();
    write_data_set(parent, name, {&count, 1}, {H5T_STD_U32LE, H5T_NATIVE_UINT32}, values.data(),
                   Hdf5Layout::checksummed);
}

void write_attribute(hid_t object, const std::string& name, std::int64_t value) {
    write_attribute_values(object, name, scalar_space().id(), {H5T_STD_I64LE, H5T_NATIVE_INT64},
                           &value);
}

void write_attribute(hid_t object, const std::string& name, double value) {
    write_attribute_values(object, name, scalar_space().id(), {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE},
                           &value);
}

void write_attribute(hid_t object, const std::string& name, const std::string& text,
                     TextEncoding encoding) {
    if (text.find('\0') != std::string::npos) {
        throw std::invalid_argument("the text " + name + " has a NUL inside");
    }
    const Hdf5Type type = text_type(H5T_VARIABLE, encoding);
    const char* const start = text.c_str();
    write_attribute_values(object, name, scalar_space().id(), {type.id(), type.id()}, &start);
}

void write_attribute(hid_t object, const std::string& name, std::span<const std::string> texts) {
    if (texts.empty()) {
        const hsize_t nothing = 0;
        const double no_value = 0.0;
        write_attribute_values(object, name, space_of({&nothing, 1}).id(),
                               {H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE}, &no_value);
        return;
    }
    std::size_t width = 1;
    for (const std::string& text : texts) width = std::max(width, text.size());
    if (width > kLargestAttribute) {
        throw std::invalid_argument("an item of " + name + " is longer than 64,512 bytes");
    }
    const std::size_t most = kLargestAttribute / width;
    if (texts.size() <= most) return write_text_array(object, name, texts, width);
    // Parts of equal length, the first ones one longer, as numpy's array_split makes them.
    const std::size_t parts = (texts.size() + most - 1) / most;
    for (std::size_t part = 0; part < parts; ++part) {
        const std::size_t length = texts.size() / parts + (part < texts.size() % parts ? 1 : 0);
        const std::size_t begin =
            part * (texts.size() / parts) + std::min(part, texts.size() % parts);
        write_text_array(object, name + std::to_string(part), texts.subspan(begin, length), width);
    }
}

}  // namespace lockstep::storage
