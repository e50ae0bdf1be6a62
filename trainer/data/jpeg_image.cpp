// JPEG by libjpeg-turbo.

#include <csetjmp>
#include <cstdio>
// jpeglib.h wants FILE from <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <string>

#include "trainer/data/image_decoders.hpp"

namespace lockstep::trainer {

namespace {

// More scans than any encoder makes; files with thousands of them only waste time.
constexpr int kMostScans = 500;

// What libjpeg's callbacks see. It ends at an error by jumping back past every destructor, so
// everything that is filled lives outside of the function with the setjmp().
struct Reading {
    jpeg_decompress_struct jpeg{};
    jpeg_error_mgr errors{};
    jpeg_progress_mgr progress{};
    std::jmp_buf way_out{};
    std::array<char, JMSG_LENGTH_MAX> problem{};

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

// A warning (level -1) says that data are corrupt and made up: grey where a file was cut off. Bytes
// between two markers hurt nobody.
void judge_message(j_common_ptr jpeg, int level) {
    if (level == -1 && jpeg->err->msg_code != JWRN_EXTRANEOUS_DATA) end_reading(jpeg);
}

void count_scans(j_common_ptr jpeg) {
    if (jpeg->is_decompressor == 0) return;
    if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMostScans) return;
    reading_of(jpeg).problem = {"too many scans"};
    std::longjmp(reading_of(jpeg).way_out, 1);
}

// False with a problem set, if libjpeg gave up.
bool read_header(Reading& reading, FileBytes bytes) {
    if (setjmp(reading.way_out) != 0) return false;
    jpeg_create_decompress(&reading.jpeg);
    reading.jpeg.client_data = &reading;
    reading.jpeg.progress = &reading.progress;
    jpeg_mem_src(&reading.jpeg, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&reading.jpeg, TRUE);
    return true;
}

bool read_rows(Reading& reading, Image& image) {
    if (setjmp(reading.way_out) != 0) return false;
    reading.jpeg.out_color_space = JCS_RGB;  // an error for CMYK
    reading.jpeg.dct_method = JDCT_ISLOW;    // the exact one
    jpeg_start_decompress(&reading.jpeg);
    const std::size_t row_bytes = std::size_t{3} * reading.jpeg.output_width;
    while (reading.jpeg.output_scanline < reading.jpeg.output_height) {
        JSAMPROW row = image.pixels.data() + reading.jpeg.output_scanline * row_bytes;
        jpeg_read_scanlines(&reading.jpeg, &row, 1);
    }
    jpeg_finish_decompress(&reading.jpeg);
    return true;
}

}  // namespace

Image decode_jpeg(FileBytes bytes, const std::string& origin) {
    Reading reading;
    reading.jpeg.err = jpeg_std_error(&reading.errors);
    reading.jpeg.client_data = &reading;
    reading.errors.error_exit = end_reading;
    reading.errors.emit_message = judge_message;
    reading.progress.progress_monitor = count_scans;
    const auto damaged = [&] { return std::string("damaged JPEG: ") + reading.problem.data(); };
    if (!read_header(reading, bytes)) throw_damaged(origin, damaged());
    Image image = blank_image(reading.jpeg.image_height, reading.jpeg.image_width, origin);
    if (!read_rows(reading, image)) throw_damaged(origin, damaged());
    return image;
}

}  // namespace lockstep::trainer
