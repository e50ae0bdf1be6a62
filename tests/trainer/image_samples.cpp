#include "tests/trainer/image_samples.hpp"

#include <png.h>

#include <cstdio>
// jpeglib.h wants FILE from <cstdio> before it.
#include <jpeglib.h>

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

FileContent jpeg_file(int width, int height, int channels, const FileContent& pixels,
                      bool is_progressive) {
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
    if (is_progressive) jpeg_simple_progression(&jpeg);
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

}  // namespace lockstep::tests
