#include "trainer/data/exif_orientation.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/trainer/image_samples.hpp"

namespace lockstep::trainer {
namespace {

using tests::ByteOrder;
using tests::exif_block;
using tests::FileContent;
using Pixels = std::vector<std::uint8_t>;

constexpr std::array kOrders{ByteOrder::little, ByteOrder::big};

// Pixel i is (i, 2 i, 3 i).
Image numbered(int height, int width) {
    Image image{height, width, {}};
    for (int i = 0; i < height * width; ++i) {
        for (const int k : {1, 2, 3}) image.pixels.push_back(static_cast<std::uint8_t>(k * i));
    }
    return image;
}

// By the table of the standard: where the picture's first row and its first column are seen.
Image seen(const Image& image, int orientation) {
    const int h = image.height;
    const int w = image.width;
    Image result{orientation < 5 ? h : w, orientation < 5 ? w : h, Pixels(image.pixels.size())};
    for (int y = 0; y < h; ++y) {
        for (int x = 0; x < w; ++x) {
            int row = y;  // of the result, for the picture's pixel (y, x)
            int column = x;
            switch (orientation) {
                case 2:
                    column = w - 1 - x;
                    break;  // row 0 at the top, column 0 right
                case 3:
                    row = h - 1 - y, column = w - 1 - x;
                    break;  // bottom, right
                case 4:
                    row = h - 1 - y;
                    break;  // bottom, left
                case 5:
                    row = x, column = y;
                    break;  // left, top
                case 6:
                    row = x, column = h - 1 - y;
                    break;  // right, top
                case 7:
                    row = w - 1 - x, column = h - 1 - y;
                    break;  // right, bottom
                case 8:
                    row = w - 1 - x, column = y;
                    break;  // left, bottom
                default:
                    break;
            }
            for (int c = 0; c < 3; ++c) {
                result.pixels[static_cast<std::size_t>((row * result.width + column) * 3 + c)] =
                    image.pixels[static_cast<std::size_t>((y * w + x) * 3 + c)];
            }
        }
    }
    return result;
}

bool are_equal(const Image& a, const Image& b) {
    return a.height == b.height && a.width == b.width && a.pixels == b.pixels;
}

TEST_CASE("orientation: each of the eight turns every pixel to its place", "[trainer]") {
    for (int orientation = 1; orientation <= 8; ++orientation) {
        CAPTURE(orientation);
        for (const auto& [height, width] :
             std::vector<std::pair<int, int>>{{1, 1}, {1, 5}, {4, 1}, {3, 5}, {4, 4}}) {
            const Image image = numbered(height, width);
            CHECK(are_equal(turned(image, orientation), seen(image, orientation)));
        }
    }
}

TEST_CASE("orientation: read in either byte order", "[trainer]") {
    for (const ByteOrder order : kOrders) {
        for (std::uint16_t orientation = 1; orientation <= 8; ++orientation) {
            CHECK(exif_orientation(exif_block(order, orientation)) == orientation);
        }
        for (const std::uint16_t other : std::array<std::uint16_t, 4>{0, 9, 256, 65535}) {
            CHECK(exif_orientation(exif_block(order, other)) == 1);
        }
    }
}

TEST_CASE("orientation: damaged Exif data tell none", "[trainer]") {
    const FileContent block = exif_block(ByteOrder::big, 6);
    const std::size_t value_end = 8 + 2 + 12 + 12 - 2;
    for (std::size_t length = 0; length < value_end; ++length) {
        CAPTURE(length);
        const auto end = block.begin() + static_cast<std::ptrdiff_t>(length);
        CHECK(exif_orientation(FileContent(block.begin(), end)) == 1);
    }
    const auto changed = [&](std::size_t place, std::uint8_t value) {
        FileContent file = block;
        file.at(place) = value;
        return exif_orientation(file);
    };
    CHECK(changed(0, 'I') == 1);
    CHECK(changed(3, 43) == 1);
    CHECK(changed(4, 0xff) == 1);  // the directory lies far behind the end
    CHECK(changed(9, 1) == 1);     // one entry: not this one
    CHECK(changed(8, 0xff) == 6);  // many more than there are, which nobody reads
    CHECK(changed(25, 4) == 1);    // a type of four bytes
    CHECK(changed(29, 2) == 1);    // two values
}

TEST_CASE("orientation: no bytes at all lead out of the block", "[trainer]") {
    std::mt19937 random(7);  // checked by the sanitizers
    for (int round = 0; round < 20'000; ++round) {
        FileContent block = exif_block(kOrders[random() % 2], 6);
        for (int changes = 0; changes < 3; ++changes) {
            block[2 + random() % (block.size() - 2)] = static_cast<std::uint8_t>(random());
        }
        block.resize(random() % (block.size() + 1));
        const int orientation = exif_orientation(block);
        REQUIRE(orientation >= 1);
        REQUIRE(orientation <= 8);
    }
}

TEST_CASE("orientation: a JPEG is turned as its Exif segment says", "[trainer]") {
    FileContent pixels;
    for (int i = 0; i < 17 * 11 * 3; ++i) pixels.push_back(static_cast<std::uint8_t>(i));
    const FileContent picture = tests::jpeg_file(17, 11, 3, pixels);
    const Image plain = decode_image(picture, "plain");
    for (const ByteOrder order : kOrders) {
        for (std::uint16_t orientation = 1; orientation <= 8; ++orientation) {
            CAPTURE(orientation);
            const FileContent segment = tests::exif_segment(exif_block(order, orientation));
            const FileContent marked = tests::with_jpeg_segment(picture, segment);
            CHECK(are_equal(decode_image(marked, "marked"), seen(plain, orientation)));
            // XMP shares the marker.
            const FileContent xmp = tests::jpeg_segment(0xe1, Pixels(40, 'h'));
            CHECK(are_equal(decode_image(tests::with_jpeg_segment(marked, xmp), "marked"),
                            seen(plain, orientation)));
        }
    }
    const FileContent damaged = tests::exif_segment({'I', 'I', 42, 0, 0xff, 0xff, 0xff, 0xff});
    CHECK(are_equal(decode_image(tests::with_jpeg_segment(picture, damaged), "damaged"), plain));
}

TEST_CASE("orientation: a PNG is turned as its eXIf chunk says, wherever it is", "[trainer]") {
    const Image plain = numbered(3, 5);
    const FileContent picture = tests::png_file({.width = 5, .height = 3, .rows = plain.pixels});
    for (const char* before : {"IDAT", "IEND"}) {
        for (std::uint16_t orientation = 1; orientation <= 8; ++orientation) {
            CAPTURE(before, orientation);
            FileContent chunk = tests::png_chunk("eXIf", exif_block(ByteOrder::big, orientation));
            CHECK(are_equal(decode_image(tests::with_png_chunk(picture, chunk, before), "marked"),
                            seen(plain, orientation)));
            chunk.back() ^= 1;  // its checksum
            CHECK(are_equal(decode_image(tests::with_png_chunk(picture, chunk, before), "damaged"),
                            plain));
        }
    }
}

TEST_CASE("orientation: a picture is turned before it is resized", "[trainer]") {
    const FileContent picture =
        tests::png_file({.width = 2, .height = 1, .rows = {0, 0, 0, 100, 100, 100}});
    const FileContent chunk = tests::png_chunk("eXIf", exif_block(ByteOrder::little, 8));
    const Image image = decode_image(tests::with_png_chunk(picture, chunk, "IDAT"), "marked");
    const Pixels planes = image_planes(image, {.height = 4, .width = 1, .channels = 1});
    CHECK(planes == Pixels{100, 75, 25, 0});  // counter-clockwise: the right one goes up
}

}  // namespace
}  // namespace lockstep::trainer
