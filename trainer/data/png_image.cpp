// PNG by libpng, which gives every image back as bytes of red, green, blue and alpha.

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/data/exif_orientation.hpp"
#include "trainer/data/image_decoders.hpp"

namespace lockstep::trainer {

namespace {

constexpr std::size_t kLargestChunk = 64 << 20;  // bytes of one chunk beside the pixels
constexpr std::size_t kSignature = 8;            // bytes in front of the first chunk
constexpr std::size_t kChunkFrame = 12;          // length, type and checksum of a chunk
constexpr std::array<std::uint8_t, kChunkFrame> kEnd{0,   0,   0,    0,    'I',  'E',
                                                     'N', 'D', 0xae, 0x42, 0x60, 0x82};

// What libpng's callbacks see of a reading. It ends at an error by jumping back to the place that
// setjmp() marked, past every destructor: so everything it fills lives outside of that function.
struct Reading {
    FileBytes rest;
    FileBytes then;  // follows the rest
    std::string problem;
    png_structp png = nullptr;
    png_infop info = nullptr;
    png_uint_32 width = 0;
    png_uint_32 height = 0;

    Reading(FileBytes chunks, FileBytes end) : rest(chunks), then(end) {}
    ~Reading() { png_destroy_read_struct(&png, &info, nullptr); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
};

// ---- chunks --------------------------------------------------------------------------------

std::string_view type_of(FileBytes chunk) {
    return {reinterpret_cast<const char*>(chunk.data()) + 4, 4};
}

// Bytes of the chunk at the front, frame included; 0 if the file ends before it does.
std::size_t whole_chunk(FileBytes bytes) {
    if (bytes.size() < kChunkFrame) return 0;
    const std::size_t length = std::size_t{bytes[0]} << 24 | std::size_t{bytes[1]} << 16 |
                               std::size_t{bytes[2]} << 8 | bytes[3];
    return length <= bytes.size() - kChunkFrame ? length + kChunkFrame : 0;
}

// The file up to its end chunk; where that is missing or cut off, or a chunk beside the pixels in
// front of it, up to the last whole chunk. libpng finds out whether the pixels are all there.
FileBytes chunks_before_end(FileBytes file) {
    std::size_t at = std::min(kSignature, file.size());
    while (const std::size_t length = whole_chunk(file.subspan(at))) {
        if (type_of(file.subspan(at)) == "IEND") return file.first(at);
        at += length;
    }
    const FileBytes cut_off = file.subspan(at);
    return cut_off.size() >= 8 && type_of(cut_off) == "IDAT" ? file : file.first(at);
}

// ---- libpng --------------------------------------------------------------------------------

void take_bytes(png_structp png, png_bytep out, std::size_t count) {
    auto& reading = *static_cast<Reading*>(png_get_io_ptr(png));
    if (reading.rest.empty()) reading.rest = std::exchange(reading.then, {});
    if (reading.rest.size() < count) png_error(png, "the file ends too early");
    std::memcpy(out, reading.rest.data(), count);
    reading.rest = reading.rest.subspan(count);
}

[[noreturn]] void end_reading(png_structp png, png_const_charp message) {
    static_cast<Reading*>(png_get_error_ptr(png))->problem = message;
    png_longjmp(png, 1);
}

// A warning is of a chunk beside the pixels that is passed over, as viewers do; but a damaged tRNS
// says which pixels are seen.
void judge_warning(png_structp png, png_const_charp message) {
    if (std::string_view(message).starts_with("tRNS: CRC")) png_error(png, message);
}

int orientation_of(const Reading& reading) {
    png_uint_32 length = 0;
    png_bytep bytes = nullptr;
    if (png_get_eXIf_1(reading.png, reading.info, &length, &bytes) == 0) return 1;
    return exif_orientation({bytes, length});
}

// Transformations to 8-bit RGBA, in libpng's own order.
void ask_for_rgba(png_structp png) {
    png_set_expand(png);  // palettes, less than 8 bits, transparent colours
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
}

// False with a problem set, if libpng gave up.
bool read_header(Reading& reading) {
    if (setjmp(png_jmpbuf(reading.png)) != 0) return false;
    png_set_read_fn(reading.png, &reading, take_bytes);
    png_set_user_limits(reading.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // blank_image() judges
    png_set_chunk_malloc_max(reading.png, kLargestChunk);
    png_read_info(reading.png, reading.info);
    reading.width = png_get_image_width(reading.png, reading.info);
    reading.height = png_get_image_height(reading.png, reading.info);
    return true;
}

bool read_rows(Reading& reading, std::vector<std::uint8_t>& rgba, std::vector<png_bytep>& rows) {
    if (setjmp(png_jmpbuf(reading.png)) != 0) return false;
    ask_for_rgba(reading.png);
    png_read_update_info(reading.png, reading.info);
    const std::size_t row_bytes = png_get_rowbytes(reading.png, reading.info);
    if (row_bytes != std::size_t{4} * reading.width) png_error(reading.png, "unknown pixels");
    for (std::size_t y = 0; y < rows.size(); ++y) rows[y] = rgba.data() + y * row_bytes;
    png_read_image(reading.png, rows.data());
    png_read_end(reading.png, reading.info);
    return true;
}

std::uint8_t over_white(std::uint8_t value, std::uint8_t alpha) {
    return static_cast<std::uint8_t>((alpha * value + (255 - alpha) * 255 + 127) / 255);
}

}  // namespace

Image decode_png(FileBytes bytes, const std::string& origin) {
    Reading reading(chunks_before_end(bytes), kEnd);
    reading.png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, end_reading, judge_warning);
    if (reading.png != nullptr) reading.info = png_create_info_struct(reading.png);
    if (reading.info == nullptr) throw std::bad_alloc();
    if (!read_header(reading)) throw_damaged(origin, "damaged PNG: " + reading.problem);
    Image image = blank_image(reading.height, reading.width, origin);
    std::vector<std::uint8_t> rgba(image.pixels.size() / 3 * 4);
    std::vector<png_bytep> rows(reading.height);
    if (!read_rows(reading, rgba, rows)) throw_damaged(origin, "damaged PNG: " + reading.problem);
    for (std::size_t i = 0; i < rgba.size() / 4; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            image.pixels[i * 3 + c] = over_white(rgba[i * 4 + c], rgba[i * 4 + 3]);
        }
    }
    return turned(std::move(image), orientation_of(reading));
}

}  // namespace lockstep::trainer
