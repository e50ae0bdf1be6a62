// JPEG by libjpeg-turbo.

#include <csetjmp>
#include <cstdio>
// jpeglib.h wants FILE from <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/data/exif_orientation.hpp"
#include "trainer/data/image_decoders.hpp"

namespace lockstep::trainer {

namespace {

// More scans than any encoder makes; files with thousands of them only waste time.
constexpr int kMostScans = 500;
constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr std::string_view kExifHead("Exif\0\0", 6);

// What libjpeg's callbacks see. It ends at an error by jumping back past every destructor, so
// everything that is filled lives outside of the function with the setjmp().
struct Reading {
    jpeg_decompress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg_progress_mgr progress{};
    std::jmp_buf way_out{};
    std::array<char, JMSG_LENGTH_MAX> problem{};
    bool has_end = true;                                 // of the image: not cut off before it
    std::array<bool, MAX_COMPONENTS> seen_components{};  // in the scans so far

    Reading() = default;
    ~Reading() { jpeg_destroy_decompress(&jpeg); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
};

Reading& reading_of(j_common_ptr jpeg) { return *static_cast<Reading*>(jpeg->client_data); }

[[noreturn]] void end_reading(j_common_ptr jpeg) {
    Reading& reading = reading_of(jpeg);
    jpeg->err->format_message(jpeg, reading.problem.data());
    std::longjmp(reading.way_out, 1);
}

// What a warning says of data beside the pixels, which decoders and viewers alike pass over: bytes
// of a scan's header that sequential files do not use, a version of JFIF, a number for the colour
// space in Adobe's marker, bytes between two markers.
bool touches_no_pixel(int code) {
    return code == JWRN_NOT_SEQUENTIAL || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM ||
           code == JWRN_EXTRANEOUS_DATA;
}

// Every other warning (level -1) says that pixels are made up, but for the end of the file: there
// pixels are missing only where has_all_scans() or a warning of the scan itself says so.
void judge_message(j_common_ptr jpeg, int level) {
    if (level != -1 || touches_no_pixel(jpeg->err->msg_code)) return;
    if (jpeg->err->msg_code != JWRN_JPEG_EOF) end_reading(jpeg);
    reading_of(jpeg).has_end = false;
}

void watch_scans(j_common_ptr common) {
    if (common->is_decompressor == 0) return;
    const auto jpeg = reinterpret_cast<j_decompress_ptr>(common);
    Reading& reading = reading_of(common);
    for (int i = 0; i < jpeg->comps_in_scan; ++i) {
        const int index = jpeg->cur_comp_info[i]->component_index;
        reading.seen_components[static_cast<std::size_t>(index)] = true;
    }
    if (jpeg->input_scan_number <= kMostScans) return;
    reading.problem = {"too many scans"};
    std::longjmp(reading.way_out, 1);
}

// Whether the scans hold every component, and in progressive files every bit of it.
bool has_all_scans(const Reading& reading) {
    const jpeg_decompress_struct& jpeg = reading.jpeg;
    for (int c = 0; c < jpeg.num_components; ++c) {
        if (!reading.seen_components[static_cast<std::size_t>(c)]) return false;
        if (jpeg.coef_bits == nullptr) continue;
        const int* bits = jpeg.coef_bits[c];  // not known yet: -1 for all of them
        if (std::any_of(bits, bits + DCTSIZE2, [](int missing) { return missing != 0; })) {
            return false;
        }
    }
    return true;
}

// False with a problem set, if libjpeg gave up.
bool read_header(Reading& reading, FileBytes bytes) {
    if (setjmp(reading.way_out) != 0) return false;
    jpeg_create_decompress(&reading.jpeg);
    reading.jpeg.client_data = &reading;
    reading.jpeg.progress = &reading.progress;
    jpeg_mem_src(&reading.jpeg, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_save_markers(&reading.jpeg, kExifMarker, 0xffff);
    jpeg_read_header(&reading.jpeg, TRUE);
    return true;
}

// `pixels`: [height, width, components] of the colour space that comes out.
bool read_rows(Reading& reading, std::vector<std::uint8_t>& pixels) {
    if (setjmp(reading.way_out) != 0) return false;
    reading.jpeg.dct_method = JDCT_ISLOW;  // the exact one
    jpeg_start_decompress(&reading.jpeg);
    const std::size_t row_bytes = pixels.size() / reading.jpeg.output_height;
    while (reading.jpeg.output_scanline < reading.jpeg.output_height) {
        JSAMPROW row = pixels.data() + reading.jpeg.output_scanline * row_bytes;
        jpeg_read_scanlines(&reading.jpeg, &row, 1);
    }
    // Files of several scans have been read to their end by now, those of one hold all in it.
    watch_scans(reinterpret_cast<j_common_ptr>(&reading.jpeg));
    if (!has_all_scans(reading) && !reading.has_end) ERREXIT(&reading.jpeg, JERR_INPUT_EOF);
    jpeg_finish_decompress(&reading.jpeg);
    return true;
}

// The paper's white less three inks and black, without a colour profile. Adobe's programs, which
// leave a marker, store what is left of the white instead of the ink.
void put_cmyk(const std::vector<std::uint8_t>& cmyk, bool is_inverted, Image& image) {
    const auto light = [&](std::size_t place) {
        return is_inverted ? cmyk[place] : 255 - cmyk[place];
    };
    for (std::size_t i = 0; i < image.pixels.size() / 3; ++i) {
        for (std::size_t c = 0; c < 3; ++c) {
            image.pixels[i * 3 + c] =
                static_cast<std::uint8_t>((light(i * 4 + c) * light(i * 4 + 3) + 127) / 255);
        }
    }
}

int orientation_of(const Reading& reading) {
    for (auto marker = reading.jpeg.marker_list; marker != nullptr; marker = marker->next) {
        const FileBytes bytes(marker->data, marker->data_length);
        const bool is_exif = marker->marker == kExifMarker && bytes.size() >= kExifHead.size() &&
                             std::memcmp(bytes.data(), kExifHead.data(), kExifHead.size()) == 0;
        if (is_exif) return exif_orientation(bytes.subspan(kExifHead.size()));
    }
    return 1;
}

}  // namespace

Image decode_jpeg(FileBytes bytes, const std::string& origin) {
    Reading reading;
    reading.jpeg.err = jpeg_std_error(&reading.errors);
    reading.jpeg.client_data = &reading;
    reading.errors.error_exit = end_reading;
    reading.errors.emit_message = judge_message;
    reading.progress.progress_monitor = watch_scans;
    const auto damaged = [&] { return std::string("damaged JPEG: ") + reading.problem.data(); };
    if (!read_header(reading, bytes)) throw_damaged(origin, damaged());
    Image image = blank_image(reading.jpeg.image_height, reading.jpeg.image_width, origin);
    const int orientation = orientation_of(reading);
    if (reading.jpeg.num_components == 4) {
        reading.jpeg.out_color_space = JCS_CMYK;
        std::vector<std::uint8_t> cmyk(image.pixels.size() / 3 * 4);
        if (!read_rows(reading, cmyk)) throw_damaged(origin, damaged());
        put_cmyk(cmyk, reading.jpeg.saw_Adobe_marker != 0, image);
    } else {
        reading.jpeg.out_color_space = JCS_RGB;
        if (!read_rows(reading, image.pixels)) throw_damaged(origin, damaged());
    }
    return turned(std::move(image), orientation);
}

}  // namespace lockstep::trainer
