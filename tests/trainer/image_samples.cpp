#include "tests/trainer/image_samples.hpp"

#include <png.h>

#include <cstdio>
// jpeglib.h wants FILE from <cstdio> before it.
#include <jpeglib.h>

#include <algorithm>
#include <cstdlib>

namespace lockstep::tests {
namespace {

constexpr png_uint_32 kHighestLimit = 0x7fffffff;

int color_type(PngColors colors) {
    switch (colors) {
        case PngColors::grey:
            return PNG_COLOR_TYPE_GRAY;
        case PngColors::rgb:
            return PNG_COLOR_TYPE_RGB;
        case PngColors::palette:
            return PNG_COLOR_TYPE_PALETTE;
        case PngColors::grey_alpha:
            return PNG_COLOR_TYPE_GRAY_ALPHA;
        case PngColors::rgba:
            break;
    }
    return PNG_COLOR_TYPE_RGB_ALPHA;
}

void append(png_structp png, png_bytep bytes, std::size_t count) {
    auto& file = *static_cast<FileContent*>(png_get_io_ptr(png));
    file.insert(file.end(), bytes, bytes + count);
}

[[noreturn]] void fail(png_structp, png_const_charp message) {
    std::fprintf(stderr, "png: %s\n", message);
    std::abort();  // a mistake in a test
}

void set_palette(png_structp png, png_infop info, const PngSample& sample) {
    std::vector<png_color> colors;
    for (std::size_t i = 0; i + 2 < sample.palette.size(); i += 3) {
        colors.push_back({sample.palette[i], sample.palette[i + 1], sample.palette[i + 2]});
    }
    if (colors.empty()) return;
    png_set_PLTE(png, info, colors.data(), static_cast<int>(colors.size()));
    if (sample.palette_alpha.empty()) return;
    png_set_tRNS(png, info, sample.palette_alpha.data(),
                 static_cast<int>(sample.palette_alpha.size()), nullptr);
}

void put_number(FileContent& bytes, std::size_t place, std::uint32_t number) {
    for (const int shift : {24, 16, 8, 0}) {
        bytes.at(place++) = static_cast<std::uint8_t>(number >> shift);
    }
}

// CRC-32, bit by bit.
std::uint32_t checksum(const FileContent& bytes) {
    std::uint32_t crc = 0xffffffff;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
    }
    return ~crc;
}

}  // namespace

FileContent png_file(const PngSample& sample) {
    FileContent file;
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, fail, nullptr);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &file, append, nullptr);
    png_set_user_limits(png, kHighestLimit, kHighestLimit);
    png_set_IHDR(png, info, static_cast<png_uint_32>(sample.width),
                 static_cast<png_uint_32>(sample.height), sample.depth, color_type(sample.colors),
                 sample.is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    set_palette(png, info, sample);
    png_write_info(png, info);
    if (!sample.rows.empty()) {
        FileContent content = sample.rows;
        const std::size_t row_bytes = png_get_rowbytes(png, info);
        std::vector<png_bytep> rows;
        for (int y = 0; y < sample.height; ++y) {
            rows.push_back(content.data() + static_cast<std::size_t>(y) * row_bytes);
        }
        png_write_image(png, rows.data());
        png_write_end(png, nullptr);
    }
    png_destroy_write_struct(&png, &info);
    return file;
}

FileContent png_chunk(const std::string& type, const FileContent& content) {
    const std::string text = type + std::string(content.begin(), content.end());
    const FileContent checked(text.begin(), text.end());
    FileContent chunk(checked.size() + 8);
    put_number(chunk, 0, static_cast<std::uint32_t>(content.size()));
    std::copy(checked.begin(), checked.end(), chunk.begin() + 4);
    put_number(chunk, chunk.size() - 4, checksum(checked));
    return chunk;
}

std::size_t png_chunk_place(const FileContent& file, const std::string& type) {
    const auto found = std::search(file.begin() + 8, file.end(), type.begin(), type.end());
    return static_cast<std::size_t>(found - file.begin()) - 4;
}

FileContent with_png_chunk(FileContent file, const FileContent& chunk, const std::string& before) {
    const auto place = static_cast<std::ptrdiff_t>(png_chunk_place(file, before));
    file.insert(file.begin() + place, chunk.begin(), chunk.end());
    return file;
}

FileContent jpeg_file(int width, int height, int channels, const FileContent& pixels,
                      JpegScans scans) {
    jpeg_compress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg.err = jpeg_std_error(&errors);  // ends the program at a mistake
    jpeg_create_compress(&jpeg);
    unsigned char* bytes = nullptr;
    unsigned long count = 0;
    jpeg_mem_dest(&jpeg, &bytes, &count);
    jpeg.image_width = static_cast<JDIMENSION>(width);
    jpeg.image_height = static_cast<JDIMENSION>(height);
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (channels == 3) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    constexpr jpeg_scan_info kSeparate[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    if (scans == JpegScans::separate) {
        jpeg.scan_info = kSeparate;
        jpeg.num_scans = channels;
    }
    if (scans == JpegScans::progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    FileContent content = pixels;
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = content.data() +
                       std::size_t{jpeg.next_scanline} * static_cast<std::size_t>(width * channels);
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    FileContent file(bytes, bytes + count);
    std::free(bytes);
    return file;
}

FileContent jpeg_segment(std::uint8_t marker, const FileContent& content) {
    const std::size_t length = content.size() + 2;
    FileContent segment;
    segment.reserve(length + 2);
    for (const std::size_t byte : {std::size_t{0xff}, std::size_t{marker}, length >> 8, length}) {
        segment.push_back(static_cast<std::uint8_t>(byte));
    }
    for (const std::uint8_t byte : content) segment.push_back(byte);
    return segment;
}

FileContent with_jpeg_segment(FileContent file, const FileContent& segment) {
    file.insert(file.begin() + 2, segment.begin(), segment.end());
    return file;
}

std::size_t jpeg_segment_place(const FileContent& file, std::uint8_t marker) {
    std::size_t at = 2;
    while (file.at(at + 1) != marker)
        at += 2 + file.at(at + 2) * std::size_t{256} + file.at(at + 3);
    return at;
}

FileContent without_jpeg_segment(FileContent file, std::uint8_t marker) {
    const std::size_t at = jpeg_segment_place(file, marker);
    const std::size_t length = 2 + file.at(at + 2) * std::size_t{256} + file.at(at + 3);
    const auto begin = file.begin() + static_cast<std::ptrdiff_t>(at);
    file.erase(begin, begin + static_cast<std::ptrdiff_t>(length));
    return file;
}

FileContent exif_block(ByteOrder order, std::uint16_t orientation) {
    const bool is_little = order == ByteOrder::little;
    FileContent block(2, is_little ? 'I' : 'M');
    const auto append = [&](std::uint32_t value, int bytes) {
        for (int i = 0; i < bytes; ++i) {
            const int shift = 8 * (is_little ? i : bytes - 1 - i);
            block.push_back(static_cast<std::uint8_t>(value >> shift));
        }
    };
    append(42, 2);
    append(8, 4);  // where the directory begins
    append(2, 2);  // its entries: tag, type, count, value
    for (const std::uint32_t value : {0x010fU, 2U, 1U}) append(value, value == 1 ? 4 : 2);
    append(0, 4);  // Make, an empty text
    append(0x0112, 2);
    append(3, 2);
    append(1, 4);
    append(orientation, 2);
    append(0, 2);
    append(0, 4);  // no further directory
    return block;
}

FileContent exif_segment(const FileContent& block) {
    FileContent content;
    for (const char byte : {'E', 'x', 'i', 'f', '\0', '\0'}) {
        content.push_back(static_cast<std::uint8_t>(byte));
    }
    for (const std::uint8_t byte : block) content.push_back(byte);
    return jpeg_segment(0xe1, content);
}

}  // namespace lockstep::tests
