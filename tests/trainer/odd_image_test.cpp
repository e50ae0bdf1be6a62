// Image files that are odd beside their pixels are read as every viewer reads them, with the pixels
// of the clean file. Those that lack pixels, or whose pixels are corrupt, are refused.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/trainer/image_samples.hpp"
#include "trainer/config/errors.hpp"
#include "trainer/data/image_file.hpp"

namespace lockstep::trainer {
namespace {

using tests::FileContent;
using tests::JpegScans;
using Pixels = std::vector<std::uint8_t>;

constexpr int kWidth = 24;
constexpr int kHeight = 17;

Pixels decode(const FileContent& file) { return decode_image(file, "sample").pixels; }

bool is_damaged(const FileContent& file) {
    try {
        decode(file);
    } catch (const DataError& error) {
        return error.kind() == DataError::Kind::damaged;
    }
    return false;
}

FileContent first_bytes(const FileContent& file, std::size_t count) {
    return {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(count)};
}

// Uneven, so that every block has something to say.
Pixels pattern(int channels) {
    Pixels pixels;
    for (int i = 0; i < kWidth * kHeight * channels; ++i) {
        pixels.push_back(static_cast<std::uint8_t>(i * i / 7 + 31 * i));
    }
    return pixels;
}

// ---- JPEG ------------------------------------------------------------------------------------

FileContent jpeg(JpegScans scans = JpegScans::interleaved) {
    return tests::jpeg_file(kWidth, kHeight, 3, pattern(3), scans);
}

FileContent jpeg_with(std::uint8_t marker, std::size_t offset, std::uint8_t value) {
    FileContent file = jpeg();
    file.at(tests::jpeg_segment_place(file, marker) + offset) = value;
    return file;
}

TEST_CASE("odd JPEG: header bytes without a use do not matter", "[trainer]") {
    const Pixels clean = decode(jpeg());
    // A scan's header: ff da, length 12, 3 components of two bytes each, then Ss, Se, Ah and Al.
    CHECK(decode(jpeg_with(0xda, 11, 1)) == clean);
    CHECK(decode(jpeg_with(0xda, 12, 0)) == clean);
    CHECK(decode(jpeg_with(0xda, 13, 0x10)) == clean);
    CHECK(decode(jpeg_with(0xe0, 9, 2)) == clean);   // JFIF 2.01
    CHECK(decode(jpeg_with(0xe0, 10, 9)) == clean);  // JFIF 1.09
    CHECK(decode(tests::with_jpeg_segment(jpeg(), tests::jpeg_segment(0xe9, {1, 2, 3}))) == clean);
    CHECK(decode(tests::with_jpeg_segment(jpeg(), tests::jpeg_segment(0xe2, Pixels(300, 'I')))) ==
          clean);
    FileContent between = jpeg();
    const auto scan = static_cast<std::ptrdiff_t>(tests::jpeg_segment_place(between, 0xda));
    between.insert(between.begin() + scan, {1, 2, 3});
    CHECK(decode(between) == clean);
    between = jpeg();
    between.insert(between.end(), {'m', 'o', 'r', 'e'});
    CHECK(decode(between) == clean);
}

TEST_CASE("odd JPEG: an Adobe marker of an unknown transform", "[trainer]") {
    const FileContent bare = tests::without_jpeg_segment(jpeg(), 0xe0);  // JFIF has the last word
    const FileContent adobe =
        tests::jpeg_segment(0xee, {'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 7});
    CHECK(decode(tests::with_jpeg_segment(bare, adobe)) == decode(jpeg()));
}

TEST_CASE("odd JPEG: the end's mark may be missing, and nothing else", "[trainer]") {
    const JpegScans scans =
        GENERATE(JpegScans::interleaved, JpegScans::separate, JpegScans::progressive);
    const FileContent file = jpeg(scans);
    const Pixels clean = decode(file);
    CHECK(decode(first_bytes(file, file.size() - 1)) == clean);
    CHECK(decode(first_bytes(file, file.size() - 2)) == clean);
    for (std::size_t length = 0; length < file.size() - 2; ++length) {
        CAPTURE(length, file.size());
        CHECK(is_damaged(first_bytes(file, length)));
    }
}

TEST_CASE("odd JPEG: CMYK is seen as light", "[trainer]") {
    const FileContent adobe = tests::jpeg_file(8, 8, 4, Pixels(8 * 8 * 4, 90));
    const auto is_about = [](const FileContent& file, int value) {
        const Pixels pixels = decode(file);
        return pixels.size() == 8 * 8 * 3 && std::ranges::all_of(pixels, [&](std::uint8_t pixel) {
                   return std::abs(pixel - value) <= 1;
               });
    };
    CHECK(is_about(adobe, 90 * 90 / 255));  // inverted: light of 90 through black's 90
    CHECK(is_about(tests::without_jpeg_segment(adobe, 0xee), 165 * 165 / 255));
}

// ---- PNG -------------------------------------------------------------------------------------

FileContent png() {
    return tests::png_file({.width = kWidth, .height = kHeight, .rows = pattern(3)});
}

FileContent with_bad_checksum(FileContent chunk) {
    chunk.back() ^= 1;
    return chunk;
}

TEST_CASE("odd PNG: damaged blocks beside the pixels are passed over", "[trainer]") {
    const std::vector<std::pair<std::string, FileContent>> blocks{{"tEXt", {'k', 0, 'v'}},
                                                                  {"gAMA", {0, 0, 1, 0}},
                                                                  {"gAMA", {1}},
                                                                  {"iCCP", Pixels(40, 9)},
                                                                  {"pHYs", Pixels(9, 0xff)},
                                                                  {"zzZz", {1, 2}},
                                                                  {"zTXt", {'k', 0}},
                                                                  {"sRGB", {77}},
                                                                  {"bKGD", {1}},
                                                                  {"eXIf", {'x'}},
                                                                  {"tIME", {}}};
    for (const auto& [type, content] : blocks) {
        CAPTURE(type);
        const FileContent chunk = tests::png_chunk(type, content);
        CHECK(decode(tests::with_png_chunk(png(), chunk, "IDAT")) == pattern(3));
        CHECK(decode(tests::with_png_chunk(png(), with_bad_checksum(chunk), "IDAT")) == pattern(3));
        CHECK(decode(tests::with_png_chunk(png(), with_bad_checksum(chunk), "IEND")) == pattern(3));
    }
    const FileContent critical = tests::png_chunk("ZZZZ", {1, 2});
    CHECK(is_damaged(tests::with_png_chunk(png(), critical, "IDAT")));
}

TEST_CASE("odd PNG: which pixels are seen is no block beside them", "[trainer]") {
    const FileContent palette = tests::png_file({.width = 2,
                                                 .colors = tests::PngColors::palette,
                                                 .rows = {1, 0},
                                                 .palette = {1, 2, 3, 4, 5, 6}});
    const FileContent alpha = tests::png_chunk("tRNS", {0});
    CHECK(decode(tests::with_png_chunk(palette, alpha, "IDAT")) == Pixels{4, 5, 6, 255, 255, 255});
    CHECK(is_damaged(tests::with_png_chunk(palette, with_bad_checksum(alpha), "IDAT")));
}

TEST_CASE("odd PNG: the end may be missing, cut off, damaged or not the end", "[trainer]") {
    const FileContent file =
        tests::with_png_chunk(png(), tests::png_chunk("tEXt", Pixels(30, 'x')), "IEND");
    const std::size_t text = tests::png_chunk_place(file, "tEXt");
    for (std::size_t length = 0; length < file.size(); ++length) {
        CAPTURE(length);
        if (length < text) {
            CHECK(is_damaged(first_bytes(file, length)));
        } else {
            CHECK(decode(first_bytes(file, length)) == pattern(3));
        }
    }
    FileContent changed = file;
    changed.back() ^= 1;
    CHECK(decode(changed) == pattern(3));
    changed = file;
    changed.insert(changed.end(), {'m', 'o', 'r', 'e'});
    CHECK(decode(changed) == pattern(3));
}

TEST_CASE("odd PNG: pixels in two parts are refused without the second", "[trainer]") {
    const FileContent whole = png();
    const std::size_t place = tests::png_chunk_place(whole, "IDAT");
    const std::size_t end = tests::png_chunk_place(whole, "IEND");
    const FileContent head = first_bytes(whole, place);
    const FileContent pixels(whole.begin() + static_cast<std::ptrdiff_t>(place) + 8,
                             whole.begin() + static_cast<std::ptrdiff_t>(end) - 4);
    const auto file_of = [&](std::size_t first, bool has_second) {
        FileContent file = head;
        const auto cut = pixels.begin() + static_cast<std::ptrdiff_t>(first);
        const FileContent one = tests::png_chunk("IDAT", {pixels.begin(), cut});
        const FileContent two = tests::png_chunk("IDAT", {cut, pixels.end()});
        file.insert(file.end(), one.begin(), one.end());
        if (has_second) file.insert(file.end(), two.begin(), two.end());
        return file;
    };
    for (std::size_t first = 0; first < pixels.size(); ++first) {
        CAPTURE(first);
        CHECK(decode(file_of(first, true)) == pattern(3));
        CHECK(is_damaged(file_of(first, false)));
    }
}

}  // namespace
}  // namespace lockstep::trainer
