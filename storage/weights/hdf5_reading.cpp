#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "storage/weights/hdf5.hpp"
#include "storage/weights/hdf5_check.hpp"

namespace lockstep::storage {
namespace {

// A data set may declare more than it stores (compressed zeros, missing chunks); beyond both
// bounds it only asks for memory.
constexpr std::uint64_t kUnsuspiciousBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kLargestRatio = 1000;

// Unwraps an identifier or a return code of a reading call.
template <typename Code>
Code need(const Hdf5Source& source, Code code, const std::string& object) {
    if (code < 0) source.refuse(fmt::format("{} is damaged ({})", object, hdf5_reason()));
    return code;
}

void require_hard_link(const Hdf5Source& source, hid_t parent, const std::string& name) {
    if (H5Lexists(parent, name.c_str(), H5P_DEFAULT) <= 0) {
        source.refuse(fmt::format("{} is missing", name));
    }
    H5L_info_t link{};
    need(source, H5Lget_info(parent, name.c_str(), &link, H5P_DEFAULT), name);
    if (link.type != H5L_TYPE_HARD) {
        source.refuse(fmt::format("{} is a soft or external link; such are not followed", name));
    }
}

// Calls open(parent of the last part, last part) after all links on the way proved to be hard.
template <typename Open>
auto open_path(const Hdf5Source& source, hid_t parent, const std::string& path, Open open) {
    Hdf5Group group;
    hid_t at = parent;
    std::string_view rest = path;
    for (std::size_t slash; (slash = rest.find('/')) != std::string_view::npos;
         rest.remove_prefix(slash + 1)) {
        const std::string part(rest.substr(0, slash));
        require_hard_link(source, at, part);
        Hdf5Group next(need(source, H5Gopen2(at, part.c_str(), H5P_DEFAULT), part));
        group = std::move(next);
        at = group.id();
    }
    const std::string last(rest);
    require_hard_link(source, at, last);
    return open(at, last);
}

void require_own_content(const Hdf5Source& source, const Hdf5DataSet& data_set,
                         const std::string& name) {
    const Hdf5Properties properties(need(source, H5Dget_create_plist(data_set.id()), name));
    if (H5Pget_layout(properties.id()) == H5D_VIRTUAL ||
        need(source, H5Pget_external_count(properties.id()), name) > 0) {
        source.refuse(fmt::format("{} keeps its values in another file; such are not read", name));
    }
    const int filters = need(source, H5Pget_nfilters(properties.id()), name);
    for (int i = 0; i < filters; ++i) {
        unsigned int flags = 0;
        std::size_t no_values = 0;
        const H5Z_filter_t filter =
            H5Pget_filter2(properties.id(), static_cast<unsigned int>(i), &flags, &no_values,
                           nullptr, 0, nullptr, nullptr);
        // Any other would be loaded from a plug-in.
        if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
            filter != H5Z_FILTER_FLETCHER32) {
            source.refuse(fmt::format("{} is compressed by an unknown filter ({})", name,
                                      static_cast<int>(filter)));
        }
    }
}

Hdf5DataSet open_data_set(const Hdf5Source& source, hid_t parent, const std::string& path) {
    Hdf5DataSet data_set = open_path(source, parent, path, [&](hid_t at, const std::string& name) {
        H5O_info_t object{};
        need(source, H5Oget_info_by_name(at, name.c_str(), &object, H5P_DEFAULT), path);
        if (object.type != H5O_TYPE_DATASET) source.refuse(fmt::format("{} is no data set", path));
        return Hdf5DataSet(need(source, H5Dopen2(at, name.c_str(), H5P_DEFAULT), path));
    });
    require_own_content(source, data_set, path);
    return data_set;
}

std::vector<std::int64_t> shape_of(const Hdf5Source& source, const Hdf5DataSet& data_set,
                                   const std::string& name) {
    const Hdf5Space space(need(source, H5Dget_space(data_set.id()), name));
    const H5S_class_t kind = H5Sget_simple_extent_type(space.id());
    if (kind != H5S_SIMPLE && kind != H5S_SCALAR) source.refuse(fmt::format("{} is null", name));
    const int rank = need(source, H5Sget_simple_extent_ndims(space.id()), name);
    std::vector<hsize_t> sizes(static_cast<std::size_t>(rank));
    need(source, H5Sget_simple_extent_dims(space.id(), sizes.data(), nullptr), name);
    std::vector<std::int64_t> shape;
    for (const hsize_t size : sizes) {
        if (size > static_cast<hsize_t>(std::numeric_limits<std::int64_t>::max())) {
            source.refuse(fmt::format("{} declares an absurd shape", name));
        }
        shape.push_back(static_cast<std::int64_t>(size));
    }
    return shape;
}

// Elements of the shape, 0 if any size is 0; nothing if they do not fit 64 bits.
std::optional<std::uint64_t> product_of(std::span<const std::int64_t> shape) {
    std::uint64_t count = 1;
    for (const std::int64_t size : shape) {
        if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(size), &count)) return {};
    }
    return count;
}

// Before anything is allocated: does the file hold what the shape declares?
std::size_t believable_count(const Hdf5Source& source, const Hdf5DataSet& data_set,
                             std::span<const std::int64_t> shape, std::size_t element_bytes,
                             const std::string& name) {
    const std::optional<std::uint64_t> count = product_of(shape);
    const std::uint64_t stored = H5Dget_storage_size(data_set.id());
    std::uint64_t declared = 0;
    if (!count || __builtin_mul_overflow(*count, std::uint64_t{element_bytes}, &declared) ||
        (declared > 0 && stored == 0) || stored > source.size() ||
        (declared > kUnsuspiciousBytes && declared / kLargestRatio > stored)) {
        source.refuse(fmt::format("{} declares far more values than the file stores ({} bytes)",
                                  name, stored));
    }
    return static_cast<std::size_t>(*count);
}

struct Expected {
    H5T_class_t kind;
    hid_t in_memory;
    const char* words;
};

// Shape and values of a data set of the expected kind, at most 8 bytes an element.
template <typename Element>
std::pair<std::vector<std::int64_t>, std::vector<Element>> read_values(const Hdf5Source& source,
                                                                       hid_t parent,
                                                                       const std::string& path,
                                                                       const Expected& expected) {
    const Hdf5DataSet data_set = open_data_set(source, parent, path);
    const Hdf5Type type(need(source, H5Dget_type(data_set.id()), path));
    const std::size_t element_bytes = H5Tget_size(type.id());
    if (H5Tget_class(type.id()) != expected.kind || element_bytes == 0 || element_bytes > 8) {
        source.refuse(fmt::format("{} does not hold {}", path, expected.words));
    }
    std::vector<std::int64_t> shape = shape_of(source, data_set, path);
    std::vector<Element> values(believable_count(source, data_set, shape, element_bytes, path));
    if (!values.empty()) {
        need(source,
             H5Dread(data_set.id(), expected.in_memory, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                     values.data()),
             path);
    }
    return {std::move(shape), std::move(values)};
}

// ---- attributes --------------------------------------------------------------------------------

struct OpenAttribute {
    Hdf5Attribute attribute;
    Hdf5Type type;
    std::size_t count = 0;
    H5T_class_t kind = H5T_NO_CLASS;
};

OpenAttribute open_attribute(const Hdf5Source& source, hid_t object, const std::string& name) {
    if (!has_attribute(object, name)) source.refuse(fmt::format("attribute {} is missing", name));
    OpenAttribute open;
    open.attribute = Hdf5Attribute(need(source, H5Aopen(object, name.c_str(), H5P_DEFAULT), name));
    open.type = Hdf5Type(need(source, H5Aget_type(open.attribute.id()), name));
    const Hdf5Space space(need(source, H5Aget_space(open.attribute.id()), name));
    open.count =
        static_cast<std::size_t>(need(source, H5Sget_simple_extent_npoints(space.id()), name));
    open.kind = H5Tget_class(open.type.id());
    // Nothing of an attribute is compressed: each item takes a byte of the file, or more.
    const std::size_t width = std::max<std::size_t>(1, H5Tget_size(open.type.id()));
    const bool is_text_elsewhere = H5Tis_variable_str(open.type.id()) > 0;
    if (H5Aget_storage_size(open.attribute.id()) > source.size() ||
        open.count > source.size() / (is_text_elsewhere ? 1 : width)) {
        source.refuse(fmt::format("attribute {} declares more than the file holds", name));
    }
    return open;
}

std::vector<std::string> variable_texts(const Hdf5Source& source, const OpenAttribute& open,
                                        const std::string& name) {
    std::vector<char*> starts(open.count, nullptr);
    need(source, H5Aread(open.attribute.id(), open.type.id(), starts.data()), name);
    std::vector<std::string> texts;
    for (const char* start : starts) texts.emplace_back(start != nullptr ? start : "");
    const Hdf5Space space(need(source, H5Aget_space(open.attribute.id()), name));
    H5Dvlen_reclaim(open.type.id(), space.id(), H5P_DEFAULT, starts.data());
    return texts;
}

std::vector<std::string> fixed_texts(const Hdf5Source& source, const OpenAttribute& open,
                                     const std::string& name) {
    const std::size_t width = H5Tget_size(open.type.id());
    std::string padded(width * open.count, '\0');
    need(source, H5Aread(open.attribute.id(), open.type.id(), padded.data()), name);
    const bool has_spaces = H5Tget_strpad(open.type.id()) == H5T_STR_SPACEPAD;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < open.count; ++i) {
        std::string text = padded.substr(i * width, width);
        text.resize(std::min(text.find('\0'), text.size()));
        if (has_spaces) text.resize(text.find_last_not_of(' ') + 1);
        texts.push_back(std::move(text));
    }
    return texts;
}

std::vector<std::string> texts_of(const Hdf5Source& source, hid_t object, const std::string& name) {
    const OpenAttribute open = open_attribute(source, object, name);
    if (open.count == 0) return {};  // Keras: float64 of shape (0)
    if (open.kind != H5T_STRING) source.refuse(fmt::format("attribute {} is no text", name));
    return H5Tis_variable_str(open.type.id()) > 0 ? variable_texts(source, open, name)
                                                  : fixed_texts(source, open, name);
}

herr_t append_name(hid_t, const char* name, const H5A_info_t*, void* names) {
    static_cast<std::vector<std::string>*>(names)->emplace_back(name);
    return 0;
}

}  // namespace

bool has_member(hid_t parent, const std::string& name) {
    return H5Lexists(parent, name.c_str(), H5P_DEFAULT) > 0;
}

Hdf5Group open_group(const Hdf5Source& source, hid_t parent, const std::string& path) {
    return open_path(source, parent, path, [&](hid_t at, const std::string& name) {
        return Hdf5Group(need(source, H5Gopen2(at, name.c_str(), H5P_DEFAULT), path));
    });
}

FloatArray read_floats(const Hdf5Source& source, hid_t parent, const std::string& path) {
    auto [shape, values] = read_values<float>(
        source, parent, path, {H5T_FLOAT, H5T_NATIVE_FLOAT, "floating-point numbers"});
    return {std::move(shape), std::move(values)};
}

ByteArray read_bytes(const Hdf5Source& source, hid_t parent, const std::string& path) {
    auto [shape, values] =
        read_values<std::uint8_t>(source, parent, path, {H5T_INTEGER, H5T_NATIVE_UINT8, "bytes"});
    return {std::move(shape), std::move(values)};
}

std::vector<std::uint32_t> read_indices(const Hdf5Source& source, hid_t parent,
                                        const std::string& path) {
    return read_values<std::uint32_t>(source, parent, path,
                                      {H5T_INTEGER, H5T_NATIVE_UINT32, "whole numbers"})
        .second;
}

bool has_attribute(hid_t object, const std::string& name) {
    return H5Aexists(object, name.c_str()) > 0;
}

std::vector<std::string> attribute_names(const Hdf5Source& source, hid_t object) {
    std::vector<std::string> names;
    hsize_t position = 0;
    need(source, H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, append_name, &names),
         "the list of attributes");
    return names;
}

AttributeKind attribute_kind(const Hdf5Source& source, hid_t object, const std::string& name) {
    const OpenAttribute open = open_attribute(source, object, name);
    if (open.count != 1) return AttributeKind::other;
    if (open.kind == H5T_INTEGER) return AttributeKind::integer;
    if (open.kind == H5T_FLOAT) return AttributeKind::real;
    return open.kind == H5T_STRING ? AttributeKind::text : AttributeKind::other;
}

std::int64_t read_integer_attribute(const Hdf5Source& source, hid_t object,
                                    const std::string& name) {
    const OpenAttribute open = open_attribute(source, object, name);
    if (open.count != 1 || open.kind != H5T_INTEGER) {
        source.refuse(fmt::format("attribute {} is no whole number", name));
    }
    std::int64_t value = 0;
    need(source, H5Aread(open.attribute.id(), H5T_NATIVE_INT64, &value), name);
    return value;
}

double read_real_attribute(const Hdf5Source& source, hid_t object, const std::string& name) {
    const OpenAttribute open = open_attribute(source, object, name);
    if (open.count != 1 || open.kind != H5T_FLOAT) {
        source.refuse(fmt::format("attribute {} is no number", name));
    }
    double value = 0.0;
    need(source, H5Aread(open.attribute.id(), H5T_NATIVE_DOUBLE, &value), name);
    return value;
}

std::string read_text_attribute(const Hdf5Source& source, hid_t object, const std::string& name) {
    std::vector<std::string> texts = texts_of(source, object, name);
    if (texts.size() != 1) source.refuse(fmt::format("attribute {} is no single text", name));
    return std::move(texts.front());
}

std::vector<std::string> read_texts_attribute(const Hdf5Source& source, hid_t object,
                                              const std::string& name) {
    if (has_attribute(object, name)) return texts_of(source, object, name);
    std::vector<std::string> texts;
    for (int part = 0; has_attribute(object, name + std::to_string(part)); ++part) {
        for (std::string& text : texts_of(source, object, name + std::to_string(part))) {
            texts.push_back(std::move(text));
        }
    }
    if (texts.empty()) source.refuse(fmt::format("attribute {} is missing", name));
    return texts;
}

}  // namespace lockstep::storage
